"""mstheft learn challenge, submit, board: twelve hidden victims, and what was made of them."""

import getpass
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import USUAL, Args, Parser, add, path, whole
from mstheft.course import manifest
from mstheft.course.messages import say
from mstheft.course.show import near
from mstheft.defend.prada import Detector
from mstheft.errors import DataError, MstheftError
from mstheft.experiments import challenge
from mstheft.files import write
from mstheft.nn import Network

LEVEL = whole(1, len(challenge.LEVELS))


@dataclass(frozen=True)
class Player:
    """Who plays, with which secret, and where it is remembered."""

    home: Path
    name: str
    secret: str

    def place(self, level: int, kind: str) -> Path:
        """A file of one level: accounts.db, noticed, json."""
        return self.home / f"level-{level:02d}.{kind}"

    def key(self, level: int) -> str:
        """The key of the service: the same after a restart, so that rows stay counted."""
        return hmac.new(self.secret.encode(), f"key {level}".encode(), "sha256").hexdigest()[:24]

    def score(self, level: int) -> challenge.Score | None:
        """The best score so far."""
        found = _certificate(self.place(level, "json"))
        return challenge.Score(**found["score"]) if found else None


class Noticing(Detector):
    """A detector that leaves a file behind when it raises its alarm."""

    def __init__(self, file: Path):
        super().__init__()
        self.file = file

    def observe(self, x: ArrayLike, labels: ArrayLike) -> None:
        """As of a monitor."""
        super().observe(x, labels)
        if self.alarm and not self.file.exists():
            write(self.file, "PRADA has raised an alarm\n")


def add_arguments(choices: dict[str, Parser]) -> None:
    """Options of `challenge`, `submit` and `board`."""
    play = choices["challenge"]
    add(play, "number LEVEL", LEVEL, "start its service (default: list the levels)", nargs="?")
    add(play, "--name NAME", str, "under which you play (default: your user name)")
    add(play, "--secret FILE", path, "of the class; without one your own is drawn")
    add(play, "--port N", whole(1, 65535), USUAL, default=8000)
    add(choices["submit"], "copy COPY", path, "your copy, a .npz of `mstheft steal --save`")
    add(choices["submit"], "number LEVEL", LEVEL, "the level it is a copy of")
    board = choices["board"]
    add(board, "files FILE", path, "certificates that were handed in", nargs="+")
    add(board, "--secret FILE", path, "of the class, to check the signatures")


def _player(args: Args, *, new: bool = False) -> Player:
    home = manifest.find().home / "challenge"
    file = home / "me.json"
    if not file.is_file():
        if not new:
            raise MstheftError(say("challenge_first"))
        home.mkdir(exist_ok=True)
        secret = _read(args.secret) if args.secret else secrets.token_hex(16)
        name = args.name or getpass.getuser()
        write(file, json.dumps({"name": name, "secret": secret}, ensure_ascii=False))
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        me = Player(home, str(raw["name"]), str(raw["secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} cannot be read; delete it to begin anew") from error
    if new and (args.name or me.name) != me.name:
        raise UsageError(say("challenge_name", name=me.name, file=near(file)))
    return me


def _read(file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"--secret {file}: expected a file, got none ({error.strerror})") from None
    if len(secret) < 8:
        raise UsageError(f"--secret {file}: expected 8 characters or more, got {len(secret)}")
    return secret


def _certificate(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        challenge.Score(**found["score"])
        return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _challenge(args: Args, console: Console) -> None:
    me = _player(args, new=True)
    if args.number:
        _serve(me, args, console)
        return
    for level, one in enumerate(challenge.LEVELS, 1):
        score = me.score(level)
        medal = say(f"medal_{score.medal}") if score else ""
        facts = {"level": level, "title": one.title, "words": one.words, "lesson": one.lesson}
        console.say(say("challenge_row", medal=medal, **facts))
    console.say(say("challenge_next"))


def _serve(me: Player, args: Args, console: Console) -> None:
    try:
        from mstheft.oracle.http import server, service
        from mstheft.oracle.http.accounts import Accounts
    except ModuleNotFoundError as error:
        raise UsageError(f"challenge needs {error.name}; pip install 'mstheft[service]'") from error
    level, one = args.number, challenge.LEVELS[args.number - 1]
    network = challenge.victim(level, me.secret, me.name)
    key = me.key(level)
    with usage_errors():
        listening = server.listen(port=args.port)
        accounts = Accounts(me.place(level, "accounts.db"), [(me.name, key, one.budget)])
    watch = (lambda: Noticing(me.place(level, "noticed"))) if one.watched else None
    settings: dict[str, Any] = {"output": one.output, "decimals": one.decimals, "detector": watch}
    app = service.application(network, accounts, **settings)
    (account,) = accounts
    url = f"http://127.0.0.1:{args.port}"
    facts = {"level": level, "title": one.title, "words": one.words, "left": account.left}
    console.say(say("challenge_open", url=url, access=key, lesson=one.lesson, **facts))
    server.serve(app, listening)


def _submit(args: Args, console: Console) -> int:
    me, level = _player(args), args.number
    try:
        from mstheft.oracle.http.accounts import Accounts
    except ModuleNotFoundError as error:
        raise UsageError(f"submit needs {error.name}; pip install 'mstheft[service]'") from error
    copy = Network.load(args.copy)
    budget = challenge.LEVELS[level - 1].budget
    accounts = Accounts(me.place(level, "accounts.db"), [(me.name, me.key(level), budget)])
    (account,) = accounts
    accounts.close()
    network = challenge.victim(level, me.secret, me.name)
    noticed = me.place(level, "noticed").exists()
    with usage_errors():
        score = challenge.judge(level, me.name, network, copy, account.count, noticed)
    score = challenge.with_copy(score, args.copy)
    before = me.score(level)
    best = challenge.leaderboard([score, *([before] if before else [])])[0]
    file = me.place(level, "json")
    if best is score:
        write(file, json.dumps(challenge.certify(score, me.secret), indent=1, ensure_ascii=False))
    gold = challenge.LEVELS[level - 1]
    console.say(
        say(
            "challenge_score",
            agreement=100 * score.agreement,
            error=score.error,
            queries=score.queries,
            medal=say(f"medal_{score.medal}"),
            silver=100 * gold.agreement[1],
            frugal=gold.frugal,
        )
    )
    if noticed:
        console.say(say("challenge_noticed"))
    console.say(say("challenge_certificate", file=near(file)))
    return 0 if score.medal != "none" else 1


def _board(args: Args, console: Console) -> int:
    secret = _read(args.secret) if args.secret else None
    scores = []
    for file in args.files:
        found = _certificate(file)
        if found is None or (secret and not challenge.holds(found, secret)):
            console.problems.append(say("challenge_false", file=near(file)))
        else:
            scores.append(challenge.Score(**found["score"]))
    for one in challenge.leaderboard(scores):
        facts = {"level": one.level, "name": one.name, "medal": say(f"medal_{one.medal}")}
        numbers = {"queries": one.queries, "agreement": 100 * one.agreement, "error": one.error}
        console.say(say("challenge_board", **facts, **numbers))
    return console.end()


ACTIONS = {"challenge": _challenge, "submit": _submit, "board": _board}
