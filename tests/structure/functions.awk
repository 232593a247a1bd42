# Functions that are too long and parameter lists that are too long, one a line, from C files as
# clang-format leaves them: awk -v lines=60 -v parameters=8 -f functions.awk FILE...
# Parameters are counted in definitions, prototypes, types of function pointers and members of
# structs; lines from a definition's first to its closing brace. Macros are not looked at, nor how
# many parameters a Fortran library gave its functions, whose names end in "_".

# The line without comments, strings and characters; `comment` says whether a comment goes on.
function code_of(line, rest, end) {
    if (comment) {
        end = index(line, "*/")
        if (!end) return ""
        line = substr(line, end + 2)
        comment = 0
    }
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "S", line)
    gsub(/'[^']*'/, "C", line)
    while (match(line, /\/\*/)) {
        rest = substr(line, RSTART + 2)
        end = index(rest, "*/")
        line = substr(line, 1, RSTART - 1)
        if (!end) {
            comment = 1
            return line
        }
        line = line " " substr(rest, end + 2)
    }
    sub(/\/\/.*/, "", line)
    return line
}

# What a declaration declares: the name before the first parenthesis, or in "(*name)".
function name_of(text) {
    if (match(text, /\( *\* *[A-Za-z_0-9]+ *\)/) && RSTART == index(text, "(")) {
        text = substr(text, RSTART, RLENGTH)
        gsub(/[^A-Za-z_0-9]/, "", text)
        return text
    }
    sub(/\(.*/, "", text)
    sub(/ +$/, "", text)
    sub(/.*[ *]/, "", text)
    return text
}

# Every list in parentheses of a declaration, also those of parameters that are functions.
function count_parameters(text, i, c, depth, commas, fortran) {
    depth = 0
    fortran = name_of(text) ~ /_$/
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(") commas[++depth] = 0
        else if (c == ",") commas[depth]++
        else if (c == ")") {
            if (commas[depth] + 1 > parameters && !(depth == 1 && fortran))
                printf "%s:%d %s has %d parameters: at most %d\n", FILENAME, first, name_of(text),
                    commas[depth] + 1, parameters
            depth--
        }
    }
}

# What a brace that follows this text opens.
function kind_of(text) {
    if (text ~ /=/ || text ~ /(^| )enum( |$)/) return "values"
    if (text ~ /\)/) return "function"
    if (text ~ /(^| )(struct|union)( |$)/) return "members"
    return "values"
}

function next_character(c) {
    if (c == "{") {
        outside = depth == 0 || kind[depth] == "members"
        kind[++depth] = outside ? kind_of(text) : "values"
        if (kind[depth] == "function") {
            count_parameters(text)
            function_name = name_of(text)
            function_first = first
        }
        text = ""
    } else if (c == "}") {
        if (kind[depth] == "function" && FNR - function_first + 1 > lines)
            printf "%s:%d %s has %d lines: at most %d\n", FILENAME, function_first, function_name,
                FNR - function_first + 1, lines
        depth--
        text = ""
    } else if (c == ";" && !parenthesis) {
        if (text !~ /=/ && (depth == 0 || kind[depth] == "members")) count_parameters(text)
        text = ""
    } else {
        if (c == "(") parenthesis++
        if (c == ")") parenthesis--
        if (text == "" && c != " ") first = FNR
        if (text != "" || c != " ") text = text c
    }
}

FNR == 1 {
    depth = comment = macro = parenthesis = 0
    text = ""
}

{
    line = code_of($0)
    if (macro || line ~ /^ *#/) {
        macro = $0 ~ /\\$/
        next
    }
    # Inside of a function only its braces matter.
    if (depth > 0 && kind[1] != "members" && line !~ /[{}]/) next
    if (depth > 0 && kind[1] != "members") gsub(/[^{}]/, "", line)
    for (i = 1; i <= length(line); i++) next_character(substr(line, i, 1))
    if (text != "") text = text " "
}
