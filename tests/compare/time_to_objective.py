#!/usr/bin/env python3
"""Seconds to an objective: `auxseg kmeans` beside SuperKMeans and faiss, one core, in turn.

time_to_objective.py X.npy K [--pairs P] [--core C] [--peers LIST] [--out FILE.jsonl]
                     [-- OPTIONS OF auxseg kmeans...]

Each pair runs auxseg and then each peer on the float32 matrix X.npy, pinned to one core, one
thread. A peer's objective is that of its last centroids, an auxseg run's that of each of its
passes. For every peer and pair: the first pass of ours that is as good as the peer's centroids, and
its seconds by the peer's; below 1 we are ahead. Both are timed twice: until the centroids are there,
and until their labels are, too, which ours are exactly.

Seconds are processor time from the moment when the rows are in memory: on a free core the same as
wall-clock time, on a busy one what it would be. The sum of squared distances is computed here, in
float64, from centroids and their exact labels; those of a peer's centroids are auxseg's, and every
so many a row the labels are found here once more.

Peers: superkmeans (its default: hierarchical), superkmeans+N (N iterations of refinement more),
superkmeans-flat (its defaults), superkmeans-all (flat, all rows, 10 iterations), faiss (its
defaults: 25 iterations of 256 rows a cluster), faiss+N (N iterations). Needs numpy, superkmeans,
faiss-cpu; AUXSEG names the program (build/auxseg).
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

BLOCK = 4096
LOOK = 2000  # rows whose labels are found a second time
ONE_THREAD = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def exact_labels(x, c):
    """Labels of rows x for c: float32 products leave out what their error cannot make nearest,
    float64 decides the rest."""
    label = np.empty(len(x), np.int64)
    half = 0.5 * np.square(c.astype("f8")).sum(1)
    longest = np.sqrt(2 * half.max())
    for a in range(0, len(x), BLOCK):
        rows = x[a:a + BLOCK]
        score = half.astype("f4") - rows @ c.T
        length = np.sqrt(np.square(rows.astype("f8")).sum(1))
        error = (x.shape[1] + 8) * 2.0**-24 * (length * longest + half.max())
        row, column = np.nonzero(score <= (score.min(1) + 2 * error)[:, None])
        q = np.square(rows[row].astype("f8") - c[column]).sum(1)
        order = np.lexsort((column, q, row))
        label[a:a + BLOCK] = column[order[np.unique(row[order], return_index=True)[1]]]
    return label


def objective_of(path, c, label):
    """The sum of squared distances, after a look at some rows whether the labels are exact."""
    x = np.load(path, mmap_mode="r")
    some = np.arange(0, len(x), max(1, len(x) // LOOK))
    wrong = int((exact_labels(np.ascontiguousarray(x[some]), c) != label[some]).sum())
    if wrong:
        sys.exit(f"{wrong} of {len(some)} labels are not exact")
    return sum(np.square(x[a:a + BLOCK].astype("f8") - c[label[a:a + BLOCK]]).sum()
               for a in range(0, len(x), BLOCK))


def results(folder):
    return (np.load(os.path.join(folder, name)) for name in ("centroids.npy", "labels.npy"))


def superkmeans(x, k, name):
    from superkmeans import SuperKMeans

    options = {"hierarchical": True}
    if name == "superkmeans-flat":
        options = {"hierarchical": False}
    elif name == "superkmeans-all":
        options = {"hierarchical": False, "sampling_fraction": 1.0,
                   "max_points_per_cluster": 10**9, "early_termination": False}
    elif "+" in name:
        options["iters_refinement"] = int(name.split("+")[1])
    peer = SuperKMeans(k, x.shape[1], n_threads=1, **options)
    began = time.process_time()
    c = peer.train(x)
    trained = time.process_time()
    peer.assign_training_points(x, c)
    return c, trained - began, time.process_time() - began


def faiss(x, k, name):
    import faiss as library

    options = library.ClusteringParameters()
    if "+" in name:
        options.niter = int(name.split("+")[1])
    clustering = library.Clustering(x.shape[1], k, options)
    index = library.IndexFlatL2(x.shape[1])
    began = time.process_time()
    clustering.train(x, index)
    trained = time.process_time()
    index.search(x, 1)
    c = library.vector_to_array(clustering.centroids).reshape(k, x.shape[1])
    return c, trained - began, time.process_time() - began


def run_peer(name, path, k):
    x = np.ascontiguousarray(np.load(path), dtype=np.float32)
    c, trained, labelled = (faiss if name.startswith("faiss") else superkmeans)(x, k, name)
    del x
    folder = tempfile.mkdtemp()
    start = os.path.join(folder, "start.npy")
    np.save(start, np.ascontiguousarray(c, dtype=np.float32))
    auxseg(path, k, folder, ["--start", start, "--iterations", "0"])
    objective = objective_of(path, *results(folder))
    shutil.rmtree(folder)
    print(json.dumps({"program": name, "k": k, "objective": objective, "centroids": trained,
                      "labels": labelled}))


def pinned(command, core):
    return subprocess.run(["taskset", "-c", core] + command, env=ONE_THREAD, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def auxseg(path, k, folder, options):
    program = os.environ.get("AUXSEG", "build/auxseg")
    return subprocess.run([program, "kmeans", path, "--k", str(k), "--threads", "1",
                           "--checkpoint", "0", "--verbose", "yes", "--out", folder] + options,
                          check=True, env=ONE_THREAD, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


def run_ours(path, k, options):
    """Run pinned, as a peer is: prints objectives and seconds of the passes."""
    folder = tempfile.mkdtemp()
    out = auxseg(path, k, folder, options)
    pattern = r"iteration \d+: objective (\S+),.*; (\S+) s of processor time.*, (\S+) s for labels"
    passes = [{"objective": float(objective), "labels": float(labels),
               "centroids": float(labels) - float(assignment)}
              for objective, labels, assignment in re.findall(pattern, out)]
    objective = objective_of(path, *results(folder))
    shutil.rmtree(folder)
    if abs(objective - passes[-1]["objective"]) > 1e-6 * objective:
        sys.exit(f"auxseg tells {passes[-1]['objective']}, but it is {objective}")
    print(json.dumps(passes))


def seconds_to(passes, objective, what="labels"):
    return next((p[what] for p in passes if p["objective"] <= objective), None)


def spread(values):
    if None in values:
        return "not reached"
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def compare(path, k, named, options):
    peers = named["--peers"].split(",")
    ours, others = [], {peer: [] for peer in peers}

    def run(words):
        out = pinned([sys.executable, __file__] + words, named["--core"])
        return json.loads(out.strip().splitlines()[-1])

    for _ in range(int(named["--pairs"])):
        ours.append(run(["--ours", path, str(k)] + options))
        for peer in peers:
            others[peer].append(run(["--peer", peer, path, str(k)]))
        if named["--out"]:
            with open(named["--out"], "a", encoding="utf-8") as f:
                last = {peer: others[peer][-1] for peer in peers}
                f.write(json.dumps({"k": k, "options": options, "auxseg": ours[-1],
                                    "peers": last}) + "\n")
    report(k, ours, others)


def report(k, ours, others):
    best = min(p["objective"] for passes in ours for p in passes)
    best = min([best] + [run["objective"] for runs in others.values() for run in runs])
    print(f"K={k}, {len(ours)} pairs; best objective {best:.7g}")
    for i, p in enumerate(ours[0]):
        at = [spread([passes[i][what] if i < len(passes) else None for passes in ours])
              for what in ("centroids", "labels")]
        print(f"  auxseg pass {i}: {p['objective']:.7g} (+{100 * (p['objective'] / best - 1):.2f} %),"
              f" centroids {at[0]} s, labels {at[1]} s")
    for share in (0.01, 0.001):
        print(f"  auxseg to {100 * share:g} % of the best, with labels: "
              f"{spread([seconds_to(passes, best * (1 + share)) for passes in ours])} s")
    for peer, runs in others.items():
        value = statistics.median(run["objective"] for run in runs)
        print(f"  {peer}: {value:.7g} (+{100 * (value / best - 1):.2f} %), "
              f"centroids {spread([run['centroids'] for run in runs])} s, "
              f"labels {spread([run['labels'] for run in runs])} s")
        for mine, its in (("labels", "centroids"), ("centroids", "centroids"),
                          ("labels", "labels")):
            at = [seconds_to(passes, run["objective"], mine) for passes, run in zip(ours, runs)]
            ratios = [None if t is None else t / run[its] for t, run in zip(at, runs)]
            print(f"    our {mine} / its {its}: {spread(ratios)}")


def main(words):
    if words[:1] == ["--peer"]:
        run_peer(words[1], words[2], int(words[3]))
        return
    if words[:1] == ["--ours"]:
        run_ours(words[1], int(words[2]), words[3:])
        return
    options = words[words.index("--") + 1:] if "--" in words else ["--start", "hierarchical"]
    words = words[:words.index("--")] if "--" in words else words
    named = {"--pairs": "5", "--core": "0", "--peers": "superkmeans,faiss", "--out": ""}
    for name in named:
        if name in words:
            at = words.index(name)
            named[name] = words[at + 1]
            del words[at:at + 2]
    if len(words) != 2:
        sys.exit(__doc__)
    compare(words[0], int(words[1]), named, options)


main(sys.argv[1:])
