# The share of lines that are comment alone, of C files, folder by folder, on one line:
# awk -f comments.awk FILE...

FNR == 1 {
    folder = FILENAME
    sub(/\/[^\/]*$/, "", folder)
    if (!(folder in lines)) folders[++count] = folder
    inside = 0
}

{
    lines[folder]++
    all++
    if (inside || /^[ \t]*\/[*\/]/) {
        comments[folder]++
        total++
    }
    if (inside) inside = !/\*\//
    else inside = /\/\*/ && !/\*\//
}

END {
    if (all) printf "comments, %% of the lines of .c files: all %.1f", 100 * total / all
    for (i = 1; i <= count; i++)
        printf ", %s %.1f", folders[i], 100 * comments[folders[i]] / lines[folders[i]]
    printf "\n"
}
