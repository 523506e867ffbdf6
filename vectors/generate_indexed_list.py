"""Writes vectors/indexed-list: allowlists as indexed files. Run through generate.py.

It follows docs/allowlist.md and shares no code with gangplank.
"""

import hashlib
import struct

MASK = 2**64 - 1
COLUMNS = (0x243F6A8885A308D3, 0x3F84D5B5B5470917, 0xA4093822299F31D1, 0x082EFA98EC4E6C89)
ENTRY, FIRST, STEP = 0x452821E638D01377, 0xBE5466CF34E90C6D, 0xC0AC29B7C97C50DD


def folded(word):
    return word ^ word >> 32


def total(start, data):
    made = start * FIRST
    for (word,) in struct.iter_unpack("<Q", data):
        made = made * STEP + folded(word) * ENTRY
    return made & MASK


def row_total(row, entry):
    words = struct.unpack("<4Q", row)
    return entry * ENTRY + sum(folded(w) * c for w, c in zip(words, COLUMNS))


def bucket_total(content, number, rows):
    made = content + (number << 32 | len(rows)) * FIRST
    for row, entry in rows:
        made = made * STEP + row_total(row, entry)
    return (made & MASK) >> 32


def row(content, number, buckets, digest):
    """In files of 65536 buckets or more, a checksum stands where the first two bytes would."""
    if buckets < 65536:
        return digest
    made = content + number * FIRST + row_total(digest, 0)
    return struct.pack("<H", (made & MASK) >> 48) + digest[2:]


def padded(data, step):
    return data + bytes(-len(data) % step)


def record(entry):
    """Without its checksum."""
    times = [entry.get(name) for name in ("notBefore", "expires")]
    texts = [entry.get(name) for name in ("tenant", "repository", "owner", "reason")]
    present = sum(1 << bit for bit, value in enumerate(times + texts) if value is not None)
    texts = [(text or "").encode() for text in texts]
    body = padded(struct.pack("<QQ4H", times[0] or 0, times[1] or 0, *map(len, texts)) + b"".join(texts), 8)
    head = struct.pack("<II", present, len(body) + 16)
    return head + body


def slot(header, place, position, last, change):
    entry = change["entry"] or {}
    times = [entry.get("notBefore"), entry.get("expires")]
    operation = (2 if change["entry"] is None else 1) | (0x80 if last else 0)
    flags = sum(1 << bit for bit, time in enumerate(times) if time is not None)
    fields = struct.pack("<IBBH", place + 1, operation, flags, position) + bytes.fromhex(change["digest"])
    fields += struct.pack("<QQ", times[0] or 0, times[1] or 0)
    return fields + struct.pack("<Q", total(struct.unpack_from("<Q", header, 80)[0], fields))


def indexed(entries, serial=0, slots=0, commits=()):
    """`entries`: from digest in hex to what is said of it. Returns the file and where its parts are."""
    rows = sorted(((bytes.fromhex(digest), entry) for digest, entry in entries.items()), key=lambda row: row[0])
    said = []
    numbers = []
    for _, entry in rows:
        if entry and entry not in said:
            said.append(entry)
        numbers.append(said.index(entry) + 1 if entry else 0)
    count, buckets = len(rows), max(1, -(-len(rows) * 20 // 41))
    content = 0
    for entry in said:
        content = total(content, record(entry))
    content += sum(row_total(digest, 0) * (2 * number + 1) for (digest, _), number in zip(rows, numbers))
    content &= MASK
    places, records = [], b""
    table = -(-4 * len(said) // 8) * 8
    for number, entry in enumerate(said, 1):
        places.append(table + len(records))
        records += record(entry) + struct.pack("<Q", total(content + number, record(entry)))
    part = padded(struct.pack(f"<{len(said)}I", *places), 8) + records
    header = b"gangplank list\n\x1a" + struct.pack(
        "<IIQQQQQQQ", 1, bool(said), count, buckets, len(said), len(part), slots, serial, content)
    header += struct.pack("<Q", total(0, header))
    within = [[] for _ in range(buckets)]
    lines = []
    for (digest, _), number in zip(rows, numbers):
        bucket = int.from_bytes(digest[:4], "big") * buckets >> 32
        lines.append(row(content, bucket, buckets, digest))
        within[bucket].append((lines[-1], number))
    starts = [0]
    for bucket in within:
        starts.append(starts[-1] + len(bucket))
    checksums = [bucket_total(content, number, bucket) for number, bucket in enumerate(within)]
    index = struct.pack(f"<{2 * buckets + 1}I", *starts, *checksums)
    file = padded(padded(header, 4096) + index, 64)
    at = {"index": 4096, "rows": len(file)}
    file += b"".join(lines)
    if said:
        file += struct.pack(f"<{count}I", *numbers)
    file = padded(file, 64)
    at["entries"] = len(file)
    file = padded(file + part, 4096)
    at["log"] = len(file)
    log = b""
    for commit in commits:
        first = len(log) // 64
        for position, change in enumerate(commit):
            log += slot(header, first + position, position, position + 1 == len(commit), change)
    assert len(log) <= 64 * slots
    return bytearray(file + log.ljust(64 * slots, b"\0")), at


def sparse(file):
    """Whatever is not zero, in lines of 32 bytes."""
    lines = ((at, file[at:at + 32]) for at in range(0, len(file), 32))
    return [{"at": at, "hex": line.hex()} for at, line in lines if any(line)]


def digest(number):
    return hashlib.sha256(f"image {number}".encode()).hexdigest()


def some(count, **said):
    return {digest(number): dict(said) for number in range(count)}


def files(write):
    def case(name, comment, expect, file, **more):
        inputs = {"length": len(file), "parts": sparse(file), **more}
        write("indexed-list", name, comment, "docs/allowlist.md, The indexed file", expect, inputs)

    def accepted(name, comment, entries, serial=0, slots=0, commits=()):
        now = dict(entries)
        for change in (change for commit in commits for change in commit):
            now.pop(change["digest"], None)
            if change["entry"] is not None:
                now[change["digest"]] = change["entry"]
        file, _ = indexed(entries, serial, slots, commits)
        case(name, comment, "accept", file, serial=serial, logSlots=slots, entries=entries, commits=list(commits),
             listed=now, unlisted=sorted(set(map(digest, range(400))) - set(now))[:50] + sorted(set(entries) - set(now)))

    accepted("empty", "no digest and no log", {})
    accepted("one", "one digest", some(1), serial=2**64 - 1)
    accepted("plain", "100 digests of which nothing is said", some(100), slots=2)
    near = {"00" * 31 + "01": {}, "00" * 32: {}, "ff" * 32: {}, "ff" * 31 + "fe": {}}
    accepted("ends", "the lowest and the highest digests, which begin alike", near)
    full = {"notBefore": 0, "expires": 2**64 - 1, "tenant": "plant", "repository": "docker.io/library/pump",
            "owner": "Ada Lovelace", "reason": "ticket 7: \u00fc\u2713"}
    entries = {**some(30), digest(3): full, digest(7): full, digest(8): {"expires": 1800000000},
               digest(9): {"reason": ""}, digest(10): {"notBefore": 5}, digest(11): {"owner": "o" * 300}}
    accepted("entries", "times and texts, two digests of the same entry, a text of no bytes", entries, serial=3)
    commits = [
        [{"digest": digest(0), "entry": None}, {"digest": digest(300), "entry": {}}, {"digest": digest(3), "entry": {"notBefore": 1}}],
        [{"digest": digest(300), "entry": {"expires": 2}}],
        [{"digest": digest(0), "entry": {}}, {"digest": digest(0), "entry": None}],
        [{"digest": digest(350), "entry": None}],
    ]
    accepted("log", "adds and removes in four commits, one of which changes its mind", entries, 4, 10, commits)
    accepted("log-full", "a log without a slot to spare", some(5), slots=7, commits=commits)
    for name, images in ("unsealed", 134_346), ("sealed", 134_347):
        file, _ = indexed(some(images), 6, 2)
        inputs = {"length": len(file), "sha256": hashlib.sha256(file).hexdigest(), "images": images, "serial": 6, "logSlots": 2}
        comment = f"the digests of `image 0` to `image {images - 1}`"
        write("indexed-list", name, comment, "docs/allowlist.md, The indexed file", "accept", inputs)
    refused(case, entries, commits)


def refused(case, entries, commits):
    good, at = indexed(entries, 4, 10, commits)

    def changed(place, bits=1):
        file = bytearray(good)
        file[place] ^= bits
        return file

    slots = bytearray(good)
    slots[at["log"] + 64:at["log"] + 128] = bytes(64)
    case("log-gap", "a slot of a commit is empty, and later commits are there", "refuse: log", slots)
    case("log-flipped", "one bit of a slot", "refuse: log", changed(at["log"] + 4 * 64 + 20, 16))
    case("log-behind", "one bit of an empty slot", "refuse: log", changed(at["log"] + 9 * 64))
    moved = bytearray(good)
    moved[at["log"] + 5 * 64:at["log"] + 6 * 64] = moved[at["log"]:at["log"] + 64]
    case("log-moved", "a slot of another place", "refuse: log", moved)
    other, _ = indexed(entries, 5, 10, commits)
    other[at["log"]:] = good[at["log"]:]
    case("log-of-another", "the log of a list of another serial", "refuse: log", other)
    case("magic", "begins with something else", "refuse: magic", changed(0, 32))
    case("header-flipped", "one bit of the header", "refuse: header", changed(64))
    case("header-not-zero", "a byte behind the header that is not zero", "refuse: header", changed(4095, 255))
    case("cut", "the last byte is missing", "refuse: length", good[:-1])
    case("longer", "one byte too many", "refuse: length", good + b"\0")
    case("short", "no whole header", "refuse: length", good[:4095])
    version = bytearray(good)
    version[16] = 2
    version[80:88] = struct.pack("<Q", total(0, bytes(version[:80])))
    case("version", "a version that is not known, with a right checksum", "refuse: kind", version)
    case("row-flipped", "one bit of a row", "refuse: bucket", changed(at["rows"] + 32 * 10 + 7, 128))
    case("start-flipped", "one bit of where a bucket begins", "refuse: bucket", changed(at["index"] + 4 * 5, 2))
    case("number-flipped", "one bit of the number of a row's entry", "refuse: bucket", changed(at["rows"] + 32 * len(entries) + 4 * 3))
    case("record-flipped", "one bit of what is said of a digest", "refuse: entry", changed(at["entries"] + 24 + 10))
    case("place-flipped", "one bit of where a record begins", "refuse: entry", changed(at["entries"], 8))
