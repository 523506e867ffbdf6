"""Writes vectors/allowlist: image references, pinned images, lists as text, and command lines.

Called from generate.py, whose writer it is given. What is expected is written here by hand.
"""

import base64

A = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752"
B = "1834bdb494c6150a9861cf32432df7c5d93fe2bc99e008da83a57a318dc207d7"
GRAMMAR = "distribution/reference, grammar"
DIGESTS = "OCI image-spec, descriptor.md, Digests"
DOCKER = "distribution/reference, normalize.go"
LIST = "docs/allowlist.md, The list as text"
LAUNCH = "docs/allowlist.md, Command lines"
PIN = "docs/allowlist.md, Images"


def cases(write):
    references(write)
    pins(write)
    lists(write)
    launches(write)


def references(write):
    def accept(name, comment, reference, docker=None, spec=GRAMMAR, **parts):
        inputs = {"reference": reference} | parts | ({"docker": docker} if docker else {})
        write("allowlist", f"reference-{name}", comment, spec, "accept", inputs)

    def refuse(name, comment, reference, code, at=None, spec=GRAMMAR):
        inputs = {"reference": reference} | ({} if at is None else {"at": at})
        write("allowlist", f"reference-{name}", comment, spec, f"refuse: {code}", inputs)

    accept("name", "a name alone", "nginx", "docker.io/library/nginx", path="nginx")
    accept("tag-not-port", "without a slash the number is a tag", "test.com:5000", "docker.io/library/test.com:5000",
           path="test.com", tag="5000")
    accept("port", "with a slash it is a port", "test.com:5000/a", "test.com:5000/a", domain="test.com:5000", path="a")
    accept("namespace", "by the grammar a domain, for Docker a namespace", "library/foo", "docker.io/library/foo",
           domain="library", path="foo")
    accept("no-domain", "the first component can be no domain", "test_com/foo", "docker.io/test_com/foo", path="test_com/foo")
    accept("all", "every part", f"[2001:db8::1]:5000/team/app:1.0@sha256:{A}", f"[2001:db8::1]:5000/team/app:1.0@sha256:{A}",
           domain="[2001:db8::1]:5000", path="team/app", tag="1.0", digest=f"sha256:{A}")
    accept("legacy-domain", "Docker's former domain", "index.docker.io/foo", "docker.io/library/foo", spec=DOCKER,
           domain="index.docker.io", path="foo")
    accept("upper-case-domain", "a domain may have upper-case letters", "Foo/bar", "Foo/bar", domain="Foo", path="bar")
    accept("upper-case-tag", "a tag may have upper-case letters", "foo:Bar", "docker.io/library/foo:Bar", path="foo", tag="Bar")
    accept("separators", "every separator", "a.b_c__d---e", "docker.io/library/a.b_c__d---e", path="a.b_c__d---e")
    accept("longest-path", "255 bytes, the domain not counted", "x.example/" + "a" * 255, "x.example/" + "a" * 255,
           domain="x.example", path="a" * 255)
    accept("longest-tag", "128 bytes", "x.example/a:" + "b" * 128, "x.example/a:" + "b" * 128, domain="x.example", path="a",
           tag="b" * 128)
    accept("sha512", "another registered algorithm", f"x.example/a@sha512:{A}{B}", f"x.example/a@sha512:{A}{B}",
           domain="x.example", path="a", digest=f"sha512:{A}{B}")
    accept("no-host", "Docker takes the dot for that of a host, and it can be none", "a_b.example/c", spec=DOCKER,
           path="a_b.example/c")
    accept("address-without-colon", "an address by the grammar; for Docker it has to have a colon", "[20]/c", spec=DOCKER,
           domain="[20]", path="c")
    accept("identifier", "by Docker's defaults an id, not a name", A, spec=DOCKER, path=A)

    refuse("empty", "nothing", "", "empty")
    refuse("line-feed", "the end of a line is not the end of the text", "nginx\n", "format", 5)
    refuse("blank", "nothing is trimmed", " nginx", "format", 0)
    refuse("two-slashes", "an empty component", "a//b", "format", 2)
    refuse("three-underscores", "one or two", "a___b", "format", 3)
    refuse("dash-and-dot", "one separator at a time", "a-.b", "format", 2)
    refuse("last-dash", "a component ends with a letter or digit", "a/b-", "format", 4)
    refuse("address-alone", "an address needs a path", "[::1]:5000", "format", 0)
    refuse("zone", "no zones", "[fe80::1%eth0]:5000/a", "format", 8)
    refuse("port-name", "a port has digits", "foo.com:http/bar", "format", 8)
    refuse("tag-begins", "a tag begins with a word character", "a:-b", "format", 2)
    refuse("upper-case", "a path has no upper-case letters", "a/Bc", "upper-case", 2)
    refuse("path-length", "256 bytes", "x.example/" + "a" * 256, "path-length")
    refuse("tag-length", "129 bytes", "a:" + "b" * 129, "tag-length")
    refuse("digest-upper-case", "upper-case hex", f"a@sha256:{A.upper()}", "digest-format", 9, DIGESTS)
    refuse("digest-twice", "two digests", f"a@sha256:{A}@sha256:{B}", "digest-format", 73, DIGESTS)
    refuse("digest-length", "63 digits", f"a@sha256:{A[1:]}", "digest-length", spec=DIGESTS)
    refuse("digest-blank", "a blank behind the digest", f"a@sha256:{A} ", "digest-format", 73, DIGESTS)
    refuse("algorithm", "not registered", f"a@sha384:{A}", "algorithm", 2)


def pins(write):
    def case(name, comment, image, expect, **more):
        write("allowlist", f"pin-{name}", comment, PIN, expect, {"image": image} | more)

    case("sha256", "a digest", f"a@sha256:{A}", "accept", sha256=A)
    case("tag-and-digest", "the digest decides", f"a:latest@sha256:{A}", "accept", sha256=A)
    case("tag", "a tag is no pin", "a:latest", "refuse: no-digest")
    case("hex-alone", "a name, not a digest", A, "refuse: no-digest")
    case("blake3", "as long as a SHA-256, and none", f"a@blake3:{A}", "refuse: algorithm")
    case("sha384", "an algorithm that is not registered", f"a@sha384:{A}{A[:32]}", "refuse: algorithm")
    case("empty-digest", "nothing behind the colon", "x@sha256:", "refuse: malformed")
    case("no-name", "a digest without a name", f"@sha256:{A}", "refuse: malformed")


def lists(write):
    def accept(name, comment, text, *digests):
        write("allowlist", f"list-{name}", comment, LIST, "accept", of(text) | {"digests": list(digests)})

    def refuse(name, comment, text, code, line, *digests):
        write("allowlist", f"list-{name}", comment, LIST, f"refuse: {code}", of(text) | {"digests": list(digests), "line": line})

    def of(text):
        if isinstance(text, bytes):
            return {"listBase64": base64.b64encode(text).decode()}
        return {"list": text}

    accept("empty", "nothing is listed", "")
    accept("two", "as it is written", f"{A}\n{B}\n", A, B)
    accept("no-last-line-feed", "the last line has no end", f"{A}\n{B}", A, B)
    accept("crlf", "lines of another system", f"{A}\r\n{B}\r\n", A, B)
    accept("upper-case", "folded", f"{A.upper()}\n", A)
    accept("blanks", "blanks at both ends, empty lines, comments", f"# mine\n\n \t{A} \t\r\n   \n  # {B}\n", A)
    accept("twice", "one entry", f"{A}\n{A.upper()}\n", A)
    refuse("prefix", "an algorithm before the digits", f"sha256:{A}\n{B}\n", "prefix", 1, B)
    refuse("short", "63 digits", f"{A}\n{B[1:]}\n", "length", 2, A)
    refuse("glued", "two digests in one line", f"{A}{B}\n", "length", 1)
    refuse("comment-behind", "a comment needs a line of its own", f"{A} # mine\n", "length", 1)
    refuse("two-carriage-returns", "one is stripped", f"{A}\r\r\n", "length", 1)
    refuse("letter", "no hex digit", f"{A}\n\n{B[1:]}g\n", "not-hex", 3, A)
    refuse("nul", "a NUL among the digits", A[1:].encode() + b"\0\n" + B.encode(), "not-hex", 1, B)
    refuse("mark", "a byte order mark", b"\xef\xbb\xbf" + A.encode() + b"\n", "length", 1)


def launches(write):
    def accept(name, comment, line, image_at, options="compat"):
        case(name, comment, line, "accept", options, {"imageAt": image_at})

    def refuse(name, comment, line, code, options="compat"):
        case(name, comment, line, f"refuse: {code}", options, {})

    def case(name, comment, line, expect, options, more):
        good, evil = f"good@sha256:{A}", f"evil@sha256:{B}"
        arguments = [{"GOOD": good, "EVIL": evil}.get(argument, argument) for argument in line.split(" ") if line]
        write("allowlist", f"launch-{name}", comment, LAUNCH, expect, {"arguments": arguments, "options": options} | more)

    accept("plain", "no options", "docker run GOOD", 2)
    accept("value", "an image as the value of an option is not the image", "docker run --name EVIL GOOD", 4)
    accept("attached", "a value behind an equals sign", "docker run --name=EVIL GOOD", 3)
    accept("letters", "the last letter takes the value", "podman run -itv EVIL GOOD", 4)
    accept("letters-attached", "a value behind its letter", "podman run -itvEVIL GOOD", 3)
    accept("flag-value", "a flag takes no value but behind an equals sign", "docker run --rm=true -d GOOD EVIL", 4)
    accept("two-dashes", "the end of the options", "docker run --rm -- GOOD --privileged", 4)
    accept("two-dashes-value", "as a value", "docker run -v -- GOOD", 4)
    accept("global", "options before the command", "nerdctl --namespace run container create GOOD", 5)
    accept("strict", "what keeps to the container", "docker run --rm -e A -p 80:80 -v data:/data --network none GOOD", 11, "strict")
    refuse("nothing", "no program", "", "program")
    refuse("other-program", "starts no container", "sh -c GOOD", "program")
    refuse("relative-program", "found from the folder of today", "./docker run GOOD", "program")
    refuse("other-command", "neither run nor create", "docker exec GOOD", "verb")
    refuse("unknown-option", "a value may follow or not", "docker run --new-in-some-version GOOD EVIL", "unknown-option")
    refuse("unknown-letter", "a value may follow or not", "docker run -itX GOOD EVIL", "unknown-option")
    refuse("abbreviated", "names are whole", "docker run --nam EVIL GOOD", "unknown-option")
    refuse("no-value", "the option at the end has none", "docker run --name", "malformed")
    refuse("no-image", "the only argument is a value", "docker run --name GOOD", "no-image")
    refuse("tag", "not pinned", "docker run evil:latest GOOD", "no-digest")
    refuse("transport", "a folder to Podman", f"podman run dir:evil@sha256:{A}", "not-from-registry")
    refuse("rootfs", "a folder instead of an image", "podman run --rootfs GOOD", "run-option")
    for name, option in {
        "privileged": "--privileged", "host-path": "-v /:/host", "socket": "--volume=/var/run/docker.sock:/s",
        "bind": "--mount type=bind,src=/,dst=/host", "host-network": "--network=host", "host-pid": "--pid host",
        "capability": "--cap-add SYS_ADMIN", "device": "--device /dev/sda", "unconfined": "--security-opt seccomp=unconfined",
        "entrypoint": "--entrypoint sh", "other-daemon": "--url tcp://evil:1",
    }.items():
        refuse(f"strict-{name}", "reaches beyond the container", f"docker run {option} GOOD", "run-option", "strict")
