# C files without a head: a comment before the first line of code that says what the file is for,
# in at least 40 characters of its own. awk -f heads.awk FILE...

function finish(words) {
    words = head
    gsub(/[^A-Za-z0-9]+/, " ", words)
    if (words == "") {
        printf "%s:1 begins without a comment that says what it is for\n", file
    } else if (length(words) < 40) {
        printf "%s:1 says too little of what it is for: \"%s\"\n", file, head
    } else if (words in seen) {
        printf "%s:1 says the same as %s: in its own words\n", file, seen[words]
    } else {
        seen[words] = file
    }
}

FNR == 1 {
    if (file != "") finish()
    file = FILENAME
    name = file
    sub(/.*\//, "", name)
    head = ""
    inside = ended = 0
}

ended { next }

{
    line = $0
    sub(/^[ \t]+/, "", line)
    if (!inside && line == "") next
    if (!inside && line !~ /^\/\*/) {
        ended = 1
        next
    }
    inside = line !~ /\*\//
    sub(/^\/?\*+ */, "", line)
    sub(/ *\*+\/.*$/, "", line)
    # A file's name alone says nothing.
    while (i = index(line, name)) line = substr(line, 1, i - 1) substr(line, i + length(name))
    head = head (head == "" ? "" : " ") line
}

END {
    if (file != "") finish()
}
