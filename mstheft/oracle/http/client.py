"""A victim behind HTTP: the client of `service`, and a victim like any other."""

import hashlib
import json
import math
import threading
import time
import uuid
from typing import Any

import httpx
import numpy as np

from mstheft.errors import BudgetExhausted
from mstheft.oracle.http import wire
from mstheft.oracle.view import View
from mstheft.typing import Array

AGAIN = (408, 429, 502, 503, 504)  # nothing was paid, or nobody knows: send it again
PREDICT, MODEL = "/v1/predict", "/v1/model"
PAUSE, LONGEST = 0.05, 4.0  # seconds before the second try, doubled each time up to the longest


class HttpVictim:
    """A model behind `mstheft serve`: `Oracle(HttpVictim(url, key), output="probs")`.

        with HttpVictim("http://127.0.0.1:8000", key) as victim:
            oracle = Oracle(victim, victim.gives, budget=victim.left)

    The oracle can answer as the service does, or with less. Answers travel as `.npy`: every bit of
    a float64 arrives, and an attack sees what it would see in the same process. (More rows than the
    service takes at once go in several requests; a matrix product over fewer rows may differ in
    the last bit.)

    retries : how often a request is sent again when the connection breaks or the service is busy
        (429, 503, ...), after 0.05 s, 0.1 s, ... 4 s, or as `Retry-After` says: 18 s with 10
    seconds : for one try
    transport : of httpx, for tests without a network

    Every batch has an `Idempotency-Key`, made of its place and its rows: however often it is sent,
    it is paid once. In an oracle with a journal the key is the same after a crash too.

    Public: `gives`, `inputs` (d), `shape`, `outputs` (K), `decimals`, `left` (asks the service),
    `count` (rows answered to this object), `fingerprint` (of the model that is served, for a
    journal; the URL where the service has none).

    Raises `BudgetExhausted` when the service says so (parts of a large batch may be paid by then;
    they are free when the same batch is sent again), ValueError for a request that the service
    refuses, such as one with a wrong key, and ConnectionError when it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        retries: int = 10,
        seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ):
        if not (key.isascii() and key.isprintable() and key):
            raise ValueError("expected a key of printable ASCII characters; copy it once more")
        self.url, self.retries, self.count = url, retries, 0
        self._urls = {path: _address(url, path) for path in (PREDICT, MODEL)}
        # The transport without a Client around it: cookies, redirects and a .netrc that would
        # replace the key are not wanted, and cost more than the rest of a small request.
        self._transport = transport or httpx.HTTPTransport()
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": wire.NPY}
        self._limits = {"timeout": httpx.Timeout(seconds).as_dict()}
        self._run, self._place, self._lock = uuid.uuid4().hex, 0, threading.Lock()
        try:
            model = self._model()
            form = model["output"]
            self.gives = {"label": "labels", "top_k": "probs"}.get(form, form)
            self.shape = tuple(int(n) for n in model["shape"])
            self.inputs = math.prod(self.shape)
            self.outputs, self.decimals = model["outputs"], model["decimals"]
            self.dtype = np.dtype(model["dtype"])
            self.fingerprint = model["fingerprint"] or url
            fit = (model["limits"]["bytes"] - 128) // (self.inputs * self.dtype.itemsize)
            self._rows = max(1, min(model["limits"]["rows"], fit))
        except BaseException as error:
            self.close()
            if not isinstance(error, KeyError | TypeError | AttributeError | json.JSONDecodeError):
                raise
            why = "expected a service of mstheft there, got something else; correct the URL"
            raise ValueError(f"{url}: {why}") from error

    def __repr__(self) -> str:
        return f"HttpVictim({self.url!r}, gives={self.gives!r}, inputs={self.inputs})"

    def __enter__(self) -> "HttpVictim":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def left(self) -> int | None:
        """Rows that the service still answers to this key; None without a budget."""
        left: int | None = self._model()["left"]
        return left

    def oracle_view(self) -> View:
        """The view on this victim, for an `Oracle`."""
        model = self.gives, self.shape, self.outputs, self.dtype
        return View(self, *model, named=True, decimals=self.decimals, adds_up=False)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __call__(self, x: Array, name: str | None = None) -> Array:
        """Answers for rows x, (n, *shape) -> (n, K), or (n,) for labels. Costs n of the budget.

        name : of the purchase, for a journal: the same name and rows are never paid twice
        """
        rows = np.ascontiguousarray(x).reshape(len(x), -1)
        with self._lock:
            name = name or f"{self._run} {self._place}"
            starts = range(0, len(rows), self._rows)
            parts = [self._part(rows[i : i + self._rows], f"{name} {i}") for i in starts]
            self._place += 1
            self.count += len(rows)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _part(self, rows: Array, name: str) -> Array:
        body = wire.pack(rows)
        key = hashlib.sha256(name.encode())
        key.update(body)
        answers = wire.unpack(self._send("POST", PREDICT, body, key.hexdigest()))
        if len(answers) != len(rows):
            raise ValueError(f"expected {len(rows)} answers from {self.url}, got {len(answers)}")
        return answers

    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = json.loads(self._send("GET", MODEL))
        return model

    def _send(self, method: str, path: str, body: bytes = b"", key: str = "") -> bytes:
        """The body of a 200, after as many tries as it takes."""
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        for attempt in range(self.retries + 1):
            pause = min(LONGEST, PAUSE * 2**attempt)
            try:
                url, more = self._urls[path], self._limits
                request = httpx.Request(method, url, headers=headers, content=body, extensions=more)
                answer = self._transport.handle_request(request)
                answer.read()
            except httpx.TransportError as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code == 200:
                    return answer.content
                if answer.status_code not in AGAIN:
                    raise _refusal(answer, self.url)
                why = f"status {answer.status_code}"
                pause = max(pause, _seconds(answer.headers.get("retry-after", "")))
            if attempt < self.retries:
                time.sleep(pause)
        what = f"expected an answer from {self.url}, got none in {self.retries + 1} tries ({why})"
        raise ConnectionError(f"{what}; start the service there or correct the URL")


def _address(url: str, path: str) -> httpx.URL:
    try:
        address = httpx.URL(url.rstrip("/") + path)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"expected a URL such as http://127.0.0.1:8000, got {url!r}; correct it")
    return address


def _refusal(answer: httpx.Response, url: str) -> Exception:
    """The error of this package that a status stands for."""
    try:
        body = answer.json()
        why = str(body["error"])
        if answer.status_code == 402:
            return BudgetExhausted(body["asked"], body["left"], body["budget"])
    except (ValueError, KeyError, TypeError):
        why = "no reason given; is it a service of mstheft?"
    kind = ConnectionError if answer.status_code >= 500 else ValueError
    return kind(f"{url} refused with {answer.status_code}: {why}")


def _seconds(text: str) -> float:
    """The pause that a Retry-After header wants: at most 30 s, and none for a date."""
    return min(30.0, float(text)) if text.isdigit() else 0.0
