#!/usr/bin/env python3
"""Speed of `auxseg bench kmeans` beside faiss and scikit-learn, on one core, in pairs.

kmeans.py --make X.npy N D K                        a float32 mixture of K Gaussians, [N, D]
kmeans.py X.npy K ITERATIONS [--pairs P] [--core C] [--peers faiss,sklearn] [-- BENCH OPTIONS...]

Each pair runs auxseg and then each peer on the same matrix from the same start (the first K rows),
pinned to one core; printed are the medians of the pairs' ratios (peer's time by ours): of an
iteration, and of everything. Needs numpy, faiss-cpu, scikit-learn; AUXSEG names the program
(build/auxseg).
"""
import json
import os
import statistics
import subprocess
import sys
import time


def make(path, n, d, k):
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((k, d), dtype=np.float32)
    noise = rng.standard_normal((n, d), dtype=np.float32)
    np.save(path, centres[rng.integers(k, size=n)] + np.float32(0.7) * noise)


def faiss_seconds(x, k, iterations):
    import faiss

    options = faiss.ClusteringParameters()
    options.niter = iterations
    options.max_points_per_centroid, options.min_points_per_centroid = 10**9, 1
    clustering = faiss.Clustering(x.shape[1], k, options)
    faiss.copy_array_to_vector(x[:k].ravel(), clustering.centroids)
    clustering.train(x, faiss.IndexFlatL2(x.shape[1]))
    ends = [clustering.iteration_stats.at(i).time for i in range(iterations)]
    return statistics.median(b - a for a, b in zip([0.0] + ends[:-1], ends)), ends[-1]


def sklearn_seconds(x, k, iterations):
    from sklearn.cluster import KMeans

    def fit(count):
        began = time.perf_counter()
        KMeans(k, init=x[:k].copy(), n_init=1, max_iter=count, tol=0, algorithm="lloyd").fit(x)
        return time.perf_counter() - began

    one, all_of_them = fit(1), fit(iterations)
    return (all_of_them - one) / max(iterations - 1, 1), all_of_them


def run_peer(peer, path, k, iterations):
    import numpy as np

    x = np.ascontiguousarray(np.load(path), dtype=np.float32)
    step, total = (faiss_seconds if peer == "faiss" else sklearn_seconds)(x, k, iterations)
    print(json.dumps({"seconds_per_iteration": step, "seconds_total": total}))


def last_line(command, core):
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    out = subprocess.run(["taskset", "-c", core] + command, env=environment, check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def compare(path, k, iterations, pairs, core, peers, options):
    program = os.environ.get("AUXSEG", "build/auxseg")
    ours = [program, "bench", "kmeans", "--data", path, "--k", k, "--iterations", iterations,
            "--threads", "1"] + options
    ratios = {peer: {"seconds_per_iteration": [], "seconds_total": []} for peer in peers}
    rates = []
    for _ in range(pairs):
        mine = last_line(ours, core)
        rates.append(mine["gflops"])
        for peer in peers:
            other = last_line([sys.executable, __file__, "--peer", peer, path, k, iterations], core)
            for key, list_of in ratios[peer].items():
                list_of.append(other[key] / mine[key])
    print(f"{path} K={k}, {iterations} iterations, {mine['dtype']} {mine['screen']}: "
          f"{statistics.median(rates):.0f} GFLOP/s (2 n k d), {mine['kept_per_row']:.3f} kept a row")
    for peer in peers:
        step, total = (statistics.median(ratios[peer][key]) for key in
                       ("seconds_per_iteration", "seconds_total"))
        print(f"  {peer}: an iteration {step:.2f}x, everything {total:.2f}x "
              f"(median of {pairs} pairs)")


def main(words):
    if words[:1] == ["--make"]:
        make(words[1], *map(int, words[2:5]))
        return
    if words[:1] == ["--peer"]:
        run_peer(words[1], words[2], int(words[3]), int(words[4]))
        return
    options = words[words.index("--") + 1:] if "--" in words else []
    words = words[:words.index("--")] if "--" in words else words
    named = {"--pairs": "5", "--core": "0", "--peers": "faiss,sklearn"}
    for name in named:
        if name in words:
            at = words.index(name)
            named[name] = words[at + 1]
            del words[at:at + 2]
    if len(words) != 3:
        sys.exit(__doc__)
    compare(words[0], words[1], words[2], int(named["--pairs"]), named["--core"],
            named["--peers"].split(","), options)


main(sys.argv[1:])
