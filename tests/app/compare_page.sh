#!/usr/bin/env bash
# compare_page.sh FOLDER: whether compare.html says of every cell what compare.csv has: runs with a
# result, mean and standard deviation of mIoU, the mean gain. Both are reckoned here anew from the
# rows of the runs. Used by other tests; prints the first cell that differs and ends with 1.
set -euo pipefail
folder=$1

# A line a cell: its name, a tab, the beginning of its row of the table.
awk -F , '
    function shown(value, n, sign, text) {
        if (n < 1) return "–"
        text = sprintf("%.2f", value < 0 ? -value : value)
        if (text + 0 == 0) return text
        return (value < 0 ? "−" : sign ? "+" : "") text
    }
    function cell(text) { return "<td class=\"n\">" text "</td>" }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    {
        name = $at["cell"]
        if (!(name in n)) { order[++cells] = name; n[name] = gains[name] = 0 }
        if ($at["reference"] != "") compared[name] = 1
        referred[$at["reference"]] = 1
        if ($at["mIoU"] != "") {
            x = 100 * $at["mIoU"]; n[name]++; sum[name] += x; squares[name] += x * x
        }
        if ($at["gain"] != "") { gains[name]++; gain[name] += 100 * $at["gain"] }
    }
    END {
        for (i = 1; i <= cells; i++) {
            c = order[i]
            mean = n[c] ? sum[c] / n[c] : 0
            spread = n[c] > 1 ? (squares[c] - n[c] * mean * mean) / (n[c] - 1) : 0
            difference = c in compared ? shown(gains[c] ? gain[c] / gains[c] : 0, gains[c], 1) : \
                c in referred ? "reference" : "–"
            print c "\t<th scope=\"row\">" c "</th>" cell(n[c]) cell(shown(mean, n[c])) \
                cell(shown(spread > 0 ? sqrt(spread) : 0, n[c] - 1)) cell(difference)
        }
    }' "$folder/compare.csv" | while IFS=$'\t' read -r cell row; do
    if ! grep -qF -- "$row" "$folder/compare.html"; then
        echo "$folder/compare.html differs from compare.csv at cell $cell; expected: $row"
        exit 1
    fi
done
# Every link leads to a report that is there.
cd "$folder"
{ grep -oE 'href="[^"#]+"' compare.html || true; } | sed -E 's/href="(.*)"/\1/' | while IFS= read -r link; do
    [[ -s $link ]] || { echo "$folder/compare.html: nothing is at $link" && exit 1; }
done
