#!/bin/sh
# Claims that `minerva model` imports, shows and tokenises as the README says, with the exit codes 0, 1
# and 2, and sentences on standard error.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tiny=$SOURCE/tests/vectors/models/tiny-bert

fail() { echo "$*" >&2; exit 1; }
# code CODE TEXT COMMAND...: the command ends with CODE and says TEXT on standard error
code() {
    expected=$1 text=$2
    shift 2
    status=0
    "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = "$expected" ] || fail "$*: exit $status, expected $expected: $(cat "$work/err")"
    grep -qF -- "$text" "$work/err" || fail "$*: said $(cat "$work/err"), expected $text"
}

"$MINERVA" model import "$tiny" -o "$work/a" >"$work/id"
"$MINERVA" model import "$tiny" -o "$work/b/c" --precision w7a14 | cmp - "$work/id"
grep -qE '^model id  [0-9a-f]{64}$' "$work/id" || fail "import said $(cat "$work/id")"
"$MINERVA" model show "$work/a" >"$work/shown"
head -n 1 "$work/shown" | cmp - "$work/id"
grep -q 'w7a14' "$work/shown" || fail "show does not name the precision"
grep -q '^proofs    rank  32 and up: none$' "$work/shown" || fail "a k of 64 and 192 carries no proof"
"$MINERVA" model import "$tiny" --precision=w14a14 -o "$work/b/c" >"$work/other"
cmp -s "$work/id" "$work/other" && fail "two precisions have one id"
"$MINERVA" model show "$work/b/c" | head -n 1 | cmp - "$work/other"

# The same network with an inner width of 2048: its last product is long enough for every rank.
mkdir "$work/wide"
cp "$tiny/vocab.txt" "$work/wide"
python3 - "$tiny" "$work/wide" <<'END'
import json, struct, sys
source, to = sys.argv[1:]
config = json.load(open(source + "/config.json"))
narrow, wide = config["intermediate_size"], 2048
config["intermediate_size"] = wide
json.dump(config, open(to + "/config.json", "w"))
data = open(source + "/model.safetensors", "rb").read()
size, = struct.unpack_from("<Q", data)
header, values, out = json.loads(data[8:8 + size]), data[8 + size:], b""
for name, tensor in header.items():
    if name == "__metadata__":
        continue
    first, end = tensor["data_offsets"]
    part, shape = values[first:end], tensor["shape"]
    if narrow in shape and "embeddings" not in name:
        element = len(part)
        for side in shape:
            element //= side
        row = element * (shape[-1] if len(shape) == 2 else 1)
        if shape[-1] == narrow and len(shape) == 2:
            part = b"".join(part[i:i + row] + bytes(element * (wide - narrow)) for i in range(0, len(part), row))
        else:
            part += bytes(row * (wide - narrow))
        tensor["shape"] = [wide if side == narrow else side for side in shape]
    tensor["data_offsets"] = [len(out), len(out) + len(part)]
    out += part
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
open(to + "/model.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + out)
END
"$MINERVA" model import "$work/wide" -o "$work/w" >"$work/id"
"$MINERVA" model show "$work/w" >"$work/shown"
for rank in 32 64 128; do
    grep -qE "^proofs    rank +$rank and up: products 3(, 7)*(, 11)?\$" "$work/shown" ||
        fail "rank $rank: $(cat "$work/shown")"
done

printf 'word40 word41\r\n\n€ €[SEP]\n' >"$work/text"
printf '101 %d %d 102\n101 102\n101 100 100 102 102\n' \
    $(($(grep -nx word40 "$tiny/vocab.txt" | cut -d: -f1) - 1)) \
    $(($(grep -nx word41 "$tiny/vocab.txt" | cut -d: -f1) - 1)) >"$work/ids"
"$MINERVA" model tokenize "$work/a" "$work/text" | cmp - "$work/ids"
"$MINERVA" model tokenize "$work/a" - <"$work/text" | cmp - "$work/ids"
[ "$(echo '[€]' | "$MINERVA" model tokenize "$work/a" -)" = "101 100 100 100 102" ] ||
    fail "brackets are no words of their own"
[ "$(echo '[SEP]' | "$MINERVA" model tokenize "$work/a" -)" = "101 102 102" ] || fail "[SEP] is none"
[ "$(echo '[SEP]' | "$MINERVA" model tokenize "$work/a" - --plain | wc -w)" = 7 ] ||
    fail "--plain still makes special tokens"
printf 'good\nb\377d\n' >"$work/bad"
code 1 'no UTF-8 at byte 6' "$MINERVA" model tokenize "$work/a" "$work/bad"
i=0
while [ $i -lt 100 ]; do printf 'word1 '; i=$((i + 1)); done >"$work/long"
code 0 '1 of 1 lines were too long' "$MINERVA" model tokenize "$work/a" "$work/long"
[ "$(wc -w <"$work/out")" = 96 ] || fail "a long line was not cut to 96"

code 2 'expected import, show or tokenize' "$MINERVA" model
code 2 'there is no export' "$MINERVA" model export
code 2 '-o DIR is missing' "$MINERVA" model import "$tiny"
code 2 'expected one of w7a7' "$MINERVA" model import "$tiny" -o "$work/x" --precision w8a8
code 2 'missing' "$MINERVA" model show
code 2 'one word too many' "$MINERVA" model show "$work/a" "$work/b"
code 2 '--precision' "$MINERVA" model show "$work/a" --precision w7a7
code 2 'option -o' "$MINERVA" model import "$tiny" -o
code 1 'config.json' "$MINERVA" model import "$work/nowhere" -o "$work/x"
code 1 'manifest.json' "$MINERVA" model show "$work/nowhere"
code 1 '/dev/null' "$MINERVA" model import "$tiny" -o /dev/null
[ ! -e "$work/x" ] || fail "a failed import left a folder"
"$MINERVA" model --help | grep -q 'usage: minerva model import' || fail "--help does not help"
if [ -w /dev/full ]; then
    status=0
    "$MINERVA" model show "$work/a" >/dev/full 2>"$work/err" || status=$?
    [ "$status" = 1 ] || fail "a full disk ended with $status"
fi
echo "model command: all as claimed"
