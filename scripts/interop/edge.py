#!/usr/bin/env python3
"""Ill-behaved and unusual clients against a running server, by plain sockets.

    edge.py slow PORT TOKEN         a server with --client-timeout 1 --idle-timeout 2 --max-connections 20
    --max-requests 8 edge.py rate PORT TOKEN         one with --rate-limit 20/60 edge.py proxy PORT TOKEN        one
    with --behind-proxy --rate-limit 20/60 edge.py tls PORT TOKEN CA       one with a certificate for localhost that is
    its own authority edge.py frames PORT TOKEN       any: where one request ends and the next begins, and whose answer
    is whose edge.py stopped PORT TOKEN      one whose files cannot grow edge.py load PORT TOKEN OTHER THIRD FOURTH
    any: expensive and slow requests, and what OTHER feels meanwhile edge.py predict PORT TOKEN      any: a prediction
    on the event loop, which must be 200 (used by the others)

Exits with 0 when all is as docs/serving.md has it, else says what is not.
"""
import contextlib
import http.client
import json
import re
import socket
import ssl
import sys
import time

KIND, PORT, TOKEN = sys.argv[1], int(sys.argv[2]), sys.argv[3]
AUTH = {"Authorization": "Bearer " + TOKEN}
READING = 'martlet_http_slow_clients_total{with="reading"}'


def check(holds: object, what: str, *facts: object) -> None:
    if not holds:
        sys.exit(f"{KIND}: {what}: {facts}")


def ask(
    method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] = AUTH,
    connection: http.client.HTTPConnection | None = None,
) -> tuple[http.client.HTTPResponse, bytes]:
    own = connection or http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    own.request(method, path, body, headers)
    answer = own.getresponse()
    content = answer.read()
    if connection is None:
        own.close()
    return answer, content


def record(connection: http.client.HTTPConnection | None = None) -> dict[str, float]:
    _, content = ask("GET", "/v2/models/downtime", connection=connection)
    return {column["name"]: 1.5 for column in json.loads(content)["inputs"]}


def metric(name: str) -> float:
    _, content = ask("GET", "/metrics")
    values = [float(line.split()[-1]) for line in content.decode().splitlines() if line.startswith(name)]
    check(values, "no metric", name)
    return sum(values)


def connect() -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    return plain


def read_to_end(link: socket.socket) -> bytes:
    """All that comes until the other side closes, which it must within the socket's time limit."""
    pieces = []
    try:
        while piece := link.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def problem(text: bytes, status: int, code: str) -> bytes:
    head, _, body = text.partition(b"\r\n\r\n")
    check(head.startswith(b"HTTP/1.1 %d " % status), f"not {status}", text[:300])
    check(b"application/problem+json" in head.lower(), "no problem", head)
    told = json.loads(body)
    check(told["code"] == code and told["status"] == status, f"not {code}", told)
    return head.lower()


def head(method: str, path: str, length: int) -> bytes:
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()


def predict(connection: http.client.HTTPConnection | None = None) -> None:
    row = json.dumps({"record": record(connection)})
    answer, content = ask("POST", "/predict", row, {**AUTH, "Content-Type": "application/json"}, connection)
    check(answer.status == 200, "no prediction", answer.status, content)


def slow_head() -> None:
    # Half a head.
    link = connect()
    link.sendall(b"POST /predict HTTP/1.1\r\nHost: loc")
    problem(read_to_end(link), 408, "request.slow")
    # Nothing at all: a client that opens connections before it needs them must find no answer on one.
    text = read_to_end(connect())
    check(text == b"", "an unused connection was told something", text)


def slow_body() -> None:
    # A body that drips, to the router and to the fast path; the last with less than a byte a second.
    for path in ["/api/training/start", "/predict"]:
        link = connect()
        link.sendall(head("POST", path, 5000))
        link.settimeout(0.2)
        text = b""
        for _ in range(150):
            with contextlib.suppress(TimeoutError):
                link.sendall(b" ")
                text = link.recv(65536)
            if text:
                break
        problem(text, 408, "request.slow")


def full_pipe() -> None:
    """A pipe that is kept full for longer than a body may take."""
    row = json.dumps({"record": record()}).encode()
    one, link, sent, answered = head("POST", "/predict", len(row)) + row, connect(), 0, 0
    began = time.monotonic()
    while time.monotonic() - began < 4:
        # Cut in the middle of a body, so that something is awaited at all times.
        link.sendall((one * 50)[-20:] + (one * 50)[:-20] if sent else (one * 50)[:-20])
        sent += 50
        while answered < sent - 1:
            text = link.recv(1 << 20)
            check(text and b" 408 " not in text, "a full pipe was ended", text[:300])
            answered += text.count(b"HTTP/1.1 200 ")
    link.close()


def fair_body() -> None:
    """A body at a fair rate may take longer than the seconds for all."""
    link = connect()
    link.sendall(head("POST", "/predict", 71_536) + b" " * 65_536)
    for _ in range(30):
        link.sendall(b" " * 200)
        time.sleep(0.08)
    check(link.recv(100).startswith(b"HTTP/1.1 400"), "a fair body was refused")


def idle() -> None:
    # Closed without a word.
    link = connect()
    link.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    text = read_to_end(link)
    check(text.startswith(b"HTTP/1.1 200") and b" 408 " not in text, "an idle connection was told something", text)
    # After a refusal that left before a large body had come: the same.
    link = connect()
    link.sendall(head("POST", "/nothing", 70_000)[:-2].replace(TOKEN.encode(), b"none") + b"\r\n")
    check(link.recv(65536).startswith(b"HTTP/1.1 404"), "no refusal before the body")
    link.sendall(b"x" * 70_000)
    text = read_to_end(link)
    check(text == b"", "a connection was not closed without a word after a refusal", text)


def reads_nothing() -> None:
    """A client that asks and asks and takes nothing."""
    before, ended = metric("process_resident_memory_bytes"), metric(READING)
    link = connect()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.settimeout(1)
    ask_document = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
    lost, began = False, time.monotonic()
    while not lost and time.monotonic() - began < 60:
        try:
            link.sendall(ask_document)
        except TimeoutError:
            pass
        except OSError:
            lost = True
    check(lost, "a client that reads nothing was kept")
    check(metric(READING) == ended + 1, "it is not counted")
    grown = metric("process_resident_memory_bytes") - before
    check(grown < 60e6, "memory grew for a client that reads nothing", grown)


def places() -> None:
    # Small bodies that do not end hold no place.
    links = [connect() for _ in range(8)]
    for link in links:
        link.sendall(head("POST", "/api/training/start", 100) + b"{")
    time.sleep(0.3)
    check(ask("GET", "/api/models")[0].status == 200, "a body that is not there holds a place")
    # Large ones do, as many as one client's share, which is a quarter.
    links += [connect() for _ in range(2)]
    for link in links[8:]:
        link.sendall(head("POST", "/predict", 100_000) + b"{")
    time.sleep(0.3)
    answer, content = ask("GET", "/api/models")
    check(answer.status == 429 and answer.headers["Retry-After"] == "1", "no share", answer.status, content)
    check(json.loads(content)["code"] == "serving.share", "no share", content)
    check(ask("GET", "/version", headers={})[0].status == 200, "another client has no place")
    check(ask("GET", "/health/live")[0].status == 200, "a probe was turned away")
    for _ in range(100):
        time.sleep(0.2)
        if ask("GET", "/api/models")[0].status == 200:
            return
    check(False, "places were not given back")


def too_many_connections() -> None:
    links = [connect() for _ in range(30)]
    told = []
    time.sleep(0.3)
    for link in links:
        link.settimeout(0.01)
        with contextlib.suppress(TimeoutError):
            told.append(link.recv(65536))
    check(len(told) >= 10, "too many connections were taken", len(told))
    check(b"retry-after: 1" in problem(told[0], 503, "server.busy"), "no Retry-After", told[0])
    for link in links:
        link.close()
    for _ in range(100):
        time.sleep(0.2)
        with contextlib.suppress(OSError, ValueError, IndexError, http.client.HTTPException):
            if metric("martlet_http_connections ") <= 2:
                return predict()
    check(False, "connections are not given back")


def slow() -> None:
    predict()
    for part in [slow_head, slow_body, full_pipe, fair_body, idle, reads_nothing, places, too_many_connections]:
        # On a machine that is busy this client may itself be too slow for limits of a second, so each part may be tried
        # again. What the server does wrong it does each time.
        for attempt in range(5):
            try:
                part()
                break
            except (SystemExit, OSError) as failure:
                if attempt == 4:
                    raise
                print(f"{part.__name__}, try {attempt + 1}: {failure}", file=sys.stderr)
                time.sleep(5)
    # Too large.
    answer, content = ask("POST", "/api/training/start", b" " * 70_000, {**AUTH, "Content-Type": "application/json"})
    check(answer.status == 413, "not 413", answer.status, content)


def rate() -> None:
    # Reasons are computed elsewhere, and count once.
    row = json.dumps({"record": record(), "explain": True})
    statuses = []
    for _ in range(30):
        answer, content = ask("POST", "/predict", row, {**AUTH, "Content-Type": "application/json"})
        statuses.append(answer.status)
    check(statuses == [200] * 19 + [429] * 11, "the limit is not 20", statuses)
    check(json.loads(content)["code"] == "request.rate" and int(answer.headers["Retry-After"]) in (1, 2, 3), "no hint",
          content, answer.headers.items())
    # An address without a token has a bucket of its own.
    statuses = [ask("GET", "/api/models", headers={})[0].status for _ in range(25)]
    check(statuses == [401] * 20 + [429] * 5, "guesses are not held", statuses)
    time.sleep(3.2)
    check(ask("GET", "/api/models")[0].status == 200, "the bucket does not empty")
    check({ask("GET", "/health/live", headers={})[0].status for _ in range(30)} == {200}, "probes are held")


def proxy() -> None:
    def through(
        path: str, address: str = "203.0.113.7", headers: dict[str, str] | None = None, **more: dict[str, str],
    ) -> tuple[http.client.HTTPResponse, bytes]:
        forwarded = {"X-Forwarded-For": f"10.0.0.1, {address}", "X-Forwarded-Proto": "https", **(headers or {})}
        return ask("GET", path, headers={**forwarded, **more.get("auth", {})})
    statuses = [through("/api/models")[0].status for _ in range(25)]
    check(statuses == [401] * 20 + [429] * 5, "one address is not held", statuses)
    check(through("/api/models", "203.0.113.8")[0].status == 401, "another address is held too")
    statuses = [through("/api/models", f"2001:db8:1:2::{n}")[0].status for n in range(25)]
    check(statuses[-1] == 429, "a network of IPv6 has more than one bucket", statuses)
    insecure, content = through("/api/models", "203.0.113.9", {"X-Forwarded-Proto": "http"}, auth=AUTH)
    check(insecure.status == 403 and json.loads(content)["code"] == "access.insecure", "plain HTTP was let in", content)
    foreign, content = through("/api/models", "203.0.113.9", {"X-Forwarded-Host": "evil.example"}, auth=AUTH)
    check(foreign.status == 421, "a foreign name was let in", foreign.status, content)
    named, content = through("/api/models", headers={"X-Forwarded-Host": "models.example"}, auth=AUTH)
    check(named.status == 200, "its own name was refused", named.status, content)
    row = json.dumps({"record": record()})
    for host, status in [("models.example", 200), ("evil.example", 421)]:
        headers = {**AUTH, "Content-Type": "application/json", "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
        answer, content = ask("POST", "/predict", row, headers)
        check(answer.status == status, f"a prediction at {host}", answer.status, content)
    answer, _ = ask("POST", "/api/session", json.dumps({"name": "ada", "password": "correct horse battery staple"}),
                    {"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.99"})
    check(answer.status == 200, "no login", answer.status)
    cookie = answer.headers["Set-Cookie"]
    check(cookie.startswith("__Host-") and "Secure" in cookie, "the cookie is not secure", cookie)


def tls() -> None:
    context = ssl.create_default_context(cafile=sys.argv[4])
    connection = http.client.HTTPSConnection("localhost", PORT, timeout=30, context=context)
    for _ in range(3):
        predict(connection)
    check(connection.sock.version() in ("TLSv1.2", "TLSv1.3"), "an old TLS", connection.sock.version())
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_1
    try:
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.wrap_socket(connect(), server_hostname="localhost")
        check(False, "TLS 1.1 was taken")
    except (ssl.SSLError, ConnectionResetError):
        pass
    link = connect()
    link.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(b"200 OK" not in read_to_end(link), "plain HTTP was answered")
    certificate = connection.sock.getpeercert() or {}
    print(re.sub(r"\W", "", str(certificate["serialNumber"])))


def exchange(*pieces: bytes) -> tuple[list[int], bool, bytes]:
    """The statuses that pieces sent at once are answered with, whether the other side closed, and all that came."""
    link = connect()
    link.settimeout(1.5)
    link.sendall(b"".join(pieces))
    text, closed = b"", False
    try:
        while piece := link.recv(65536):
            text += piece
        closed = True
    except TimeoutError:
        pass
    except ConnectionResetError:
        closed = True
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", text)], closed, text


def stopped() -> None:
    row = json.dumps({"record": record()})
    answer, content = ask("POST", "/predict", row)
    check(answer.status == 503 and json.loads(content)["code"] == "predictions.failed", "not stopped", content)
    told = json.loads(ask("GET", "/health")[1])
    check(told["status"] == "degraded" and "has stopped" in told["models"][0]["trouble"], "health says nothing", told)


def frames() -> None:
    row = json.dumps({"record": record()}).encode()
    one = head("POST", "/predict", len(row)) + row
    get = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def with_header(line: bytes, message: bytes = one) -> bytes:
        return message.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1)

    def expect(what: str, statuses: list[int], closes: bool, *pieces: bytes) -> bytes:
        got, closed, text = exchange(*pieces)
        check((got, closed) == (statuses, closes), what, got, closed, text[:300])
        return text

    # Fast path and router in turn, all in one packet.
    expect("a request for the router behind one on the fast path", [200] * 3, False, one, get, one)
    expect("one for the fast path behind one for the router", [200] * 3, False, get, one, get)
    expect("fifty at once", [200] * 50, False, one * 50)
    # As many as one read of the server may bring, each refused at once as soon as the answer before them has left.
    empty = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    expect("refusals behind a prediction", [200] + [400] * 4_000 + [200], False, one, empty * 4_000, one)
    chunked = one.replace(b"Content-Length: %d" % len(row), b"Transfer-Encoding: chunked")
    chunked = chunked.replace(row, b"%x\r\n%s\r\n0\r\n\r\n" % (len(row), row))
    expect("behind chunks", [200] * 2, False, chunked, get)
    # What is broken behind a good request does not take its answer away.
    nonsense = b"\0\0nonsense\r\n\r\n"
    for what, message in [("a prediction", one), ("an answer of the router", get), ("chunks", chunked)]:
        expect("nonsense behind " + what, [200, 400], True, message, nonsense)
    problem(exchange(nonsense)[2], 400, "request.malformed")
    # Also when it comes while the router still puts the request before it away, and when more comes than is read.
    for _ in range(300):
        link = connect()
        link.sendall(get)
        check(b" 200 " in link.recv(65536), "no answer of the router")
        link.sendall(nonsense)
        problem(read_to_end(link), 400, "request.malformed")
        link.close()
    # Nor is a refusal lost with what is sent on behind it.
    much, twice = b"x" * 3_000_000, with_header(b"Host: evil.example", get)
    for what, statuses, message in [
            ("nonsense", [400], nonsense), ("nonsense behind a prediction", [200, 400], one + nonsense),
            ("nonsense behind an answer of the router", [200, 400], get + nonsense), ("two hosts", [400], twice),
            ("two hosts behind both", [200, 200, 400], one + get + twice + get),
            ("another version", [400], get.replace(b"HTTP/1.1", b"HTTP/7.3")),
            ("broken chunks", [400], chunked.replace(b"/predict", b"/predict/batch").replace(
                b"application/json", b"application/x-ndjson").replace(b"\r\n0\r\n", b"\r\nzz\r\n"))]:
        expect("much behind " + what, statuses, True, message, much)
    link = connect()
    link.sendall(get)
    check(b" 200 " in link.recv(65536), "no answer of the router")
    link.sendall(b"GET /" + b"x" * 70_000)
    problem(read_to_end(link), 414, "request.uri")
    link.close()
    expect("more behind a prediction that closes", [200], True, with_header(b"Connection: close"), one, get)
    expect("more behind an answer that closes", [200], True, with_header(b"Connection: close", get), one, one)
    # Lengths and names of which there are two.
    both = with_header(b"Transfer-Encoding: chunked")
    for what, message in [
        ("two kinds of length", both),
        ("two lengths", with_header(b"Content-Length: 3")),
        ("two hosts", with_header(b"Host: evil.example")),
        ("two hosts at the router", with_header(b"Host: evil.example", get)),
        ("a folded line", with_header(b"X-A: b\r\n c")),
        ("bare ends of lines", one.replace(b"\r", b"")),
    ]:
        expect(what, [400], True, message)
    # Nobody waits for the end of what is too long, nor takes what is packed for what is in it.
    length, announced = b"Content-Length: %d" % len(row), one.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for path in [b"/predict", b"/process", b"/retraining"]:
        got, _, text = exchange(announced.replace(b"/predict", path).replace(length, b"Content-Length: 999999999"))
        check(got == [413], "not refused by its head", path, text[:300])
        # Nor is who asks told to send it; and the body that comes all the same is no request.
        asked = announced.replace(b"/predict", path).replace(
            length, b"Content-Length: 17000000\r\nExpect: 100-continue"
        )
        got, _, text = exchange(asked)
        check(got == [413], "asked to send what is too long", path, text[:300])
    long = b" " * 70_000 + b"{}"
    whole = announced.replace(b"/predict", b"/retraining").replace(length, b"Content-Length: %d" % len(long)) + long
    got, _, text = exchange(whole, get, one)
    check(got in ([413, 200, 200], [413]), "behind what is too long", text[:600])
    packed = chunked.replace(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked")
    got, _, text = exchange(packed, get)
    check(got == [501, 200], "packed for the way", text[:300])
    for codings in [b"gzip", b"identity", b"chunked, gzip", b"chunked\r\nTransfer-Encoding: gzip",
                    b"chunked\r\nTransfer-Encoding: chunked"]:
        unclear = chunked.replace(b"Transfer-Encoding: chunked", b"Transfer-Encoding: " + codings)
        for message in [unclear, unclear.replace(b"/predict", b"/retraining")]:
            expect("a body whose end is not known: " + codings.decode(), [400], True, message)
    expect("one coding, an empty word", [200], False, chunked.replace(b": chunked", b": , chunked"))
    # A client takes what stands behind the head for its next answer.
    for path in [b"/health", b"/predict", b"/nothing"]:
        got, _, text = exchange(b"HEAD " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(len(got) == 1 and text.endswith(b"\r\n\r\n"), "a body behind HEAD", path, text)
    # The parser reads nothing behind a wish for another protocol, nor may a client of HTTP/1.0 be kept waiting.
    for message in [one, get]:
        text = expect("a wish for HTTP/2", [200], True, with_header(b"Connection: Upgrade\r\nUpgrade: h2c", message))
        check(b"connection: close" in text.lower(), "the end is not announced", text)
        expect("HTTP/1.0", [200], True, message.replace(b"HTTP/1.1", b"HTTP/1.0"))
    predict()


def load() -> None:
    """What is asked for by one client must not keep others from their answers; five seconds are an eternity here."""
    other = {"Authorization": "Bearer " + sys.argv[4], "Content-Type": "application/json"}
    row = record()
    one = json.dumps({"record": row})

    def others_are_answered(what: str) -> None:
        for method, path, body in [
            ("GET", "/health/live", None),
            ("POST", "/predict", one),
            ("GET", "/api/models", None),
            ("GET", "/metrics", None),
            ("GET", "/health/ready", None),
        ]:
            began = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            try:
                answer, content = ask(method, path, body, other, connection)
            except TimeoutError:
                sys.exit(f"load: {what}: {path} was not answered for {time.monotonic() - began:.1f} s")
            check(answer.status == 200, what, path, answer.status, content[:300])
            connection.close()

    # Those who follow jobs.
    _, content = ask("POST", "/api/training/start", '{"kind": "train"}', {**AUTH, "Content-Type": "application/json"})
    job = json.loads(content)["job"]
    listeners = [connect() for _ in range(64)]
    for link in listeners:
        link.sendall(head("GET", f"/api/training/events/{job}", 0))
    time.sleep(1)
    heard = [link.recv(200) for link in listeners]
    check(all(text.startswith(b"HTTP/1.1 200") for text in heard), "not all may listen", heard[:3])
    others_are_answered("64 listeners")
    # Reasons, of a few rows and of as many as may be.
    answer, content = ask("POST", "/predict", json.dumps({"records": [row] * 1001, "explain": True}),
                          {**AUTH, "Content-Type": "application/json"})
    check(answer.status == 422 and json.loads(content)["code"] == "predict.too-many-reasons", "reasons", content[:300])
    found = re.search(r"at most (\d+) rows", json.loads(content)["detail"])
    most = int(found[1]) if found else 0
    check(50 <= most <= 1000, "another limit", most)
    bodies = [json.dumps({"records": [row] * count, "explain": True}).encode() for count in (20, most)]
    links = [connect() for _ in range(8)]
    for number, link in enumerate(links):
        body = bodies[number % 2]
        link.sendall(head("POST", "/predict", len(body)) + body)
    others_are_answered("8 requests for reasons")
    for link in links:
        text = link.recv(400)
        # On a machine that is busy with something else they may come too late.
        check(text.startswith(b"HTTP/1.1 200") or b"serving.late" in text, "reasons were refused", text)
        link.close()
    # Logins whose bodies do not end.
    links = [connect() for _ in range(270)]
    for link in links:
        link.sendall(b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 65000\r\n\r\n{")
    time.sleep(0.5)
    others_are_answered("270 bodies that do not end")
    for link in links:
        link.close()
    # A refusal reaches a client that sends all before it reads.
    for token, status, ending in [("none", 401, b""), (TOKEN, 415, b""), ("none", 401, b"Connection: close\r\n"),
                                  (TOKEN, 415, b"Connection: close\r\n")]:
        link = connect()
        asked = head("POST", "/predict/batch", 20_000_000).replace(TOKEN.encode(), token.encode())
        link.sendall(asked.replace(b"Content-Type: application/json\r\n", b"Content-Type: text/nothing\r\n" + ending))
        for _ in range(20):
            link.sendall(b"x" * 1_000_000)
        check(link.recv(12) == b"HTTP/1.1 %d" % status, "a refusal was lost", status, ending)
        link.close()
    # Batches that do not begin.
    links = [connect() for _ in range(8)]
    for link in links:
        link.sendall(head("POST", "/predict/batch", 1_000_000).replace(b"application/json", b"text/csv") + b"a,b\n")
    time.sleep(0.5)
    names = ",".join(row)
    batch = ",".join(map(str, row.values())) + "\n"
    answer, content = ask("POST", "/predict/batch", f"{names}\n{batch}", {**other, "Content-Type": "text/csv"})
    check(answer.status == 200, "others may send no batch", answer.status, content)
    others_are_answered("8 batches that do not go on")
    refused = 0
    for link in links:
        link.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            refused += link.recv(12) == b"HTTP/1.1 429"
    check(refused == 5, "one client has more than its share of batches", refused)
    # As many as there are places, of several clients: others have one when nothing comes of them.
    idle = [connect() for _ in range(5)]
    for number, link in enumerate(idle):
        own = sys.argv[5 + number % 2].encode()
        asked = head("POST", "/predict/batch", len(names) + 1 + len(batch)).replace(TOKEN.encode(), own)
        link.sendall(asked.replace(b"application/json", b"text/csv") + names.encode() + b"\n")
    time.sleep(1.5)
    for _ in range(2):
        answer, content = ask("POST", "/predict/batch", f"{names}\n{batch}", {**other, "Content-Type": "text/csv"})
        check(answer.status == 200, "others may send no batch beside idle ones", answer.status, content)
    for link in idle:
        link.sendall(batch.encode())
        link.settimeout(10)
        text = b""
        while b"Martlet-Failed-Rows: 0" not in text and (part := link.recv(4096)):
            text += part
        check(text.startswith(b"HTTP/1.1 200") and b"Martlet-Rows: 1\r\n" in text, "an idle batch has ended", text)
    links += idle
    for link in links + listeners:
        link.close()


{
    "load": load,
    "slow": slow,
    "rate": rate,
    "proxy": proxy,
    "tls": tls,
    "frames": frames,
    "stopped": stopped,
    "predict": predict,
}[KIND]()
