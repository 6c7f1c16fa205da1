"""Reads an HTML page, and fails where a tag is not closed in order."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """What a page holds: open tags must close in order, every resource is noted."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.resources, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data"):
                self.resources.append(value)
            assert not name.startswith("on"), name
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def self_contained(self):
        own = all(each.startswith(("data:", "#")) for each in self.resources)
        return own and not {"script", "iframe", "object"} & {tag for tag, _ in self.tags}
