# A study of scaling under ReFrame:
#   AUXSEG=build/auxseg CONFIG=configs/demo.cfg reframe -c jobs/reframe/study.py -r
# Each figure of merit becomes a performance variable "stage_ranks_threads"; -S ranks=1,2,4 and
# -S options="--threads 2" change the study. Passes where every point has the same result.
import os
import re

import reframe as rfm
import reframe.utility.sanity as sn

LINE = (r"^Figure of Merit \(FOM\): (?P<fom>\S+) (?P<unit>[^,]+), (?P<stage>\w+), nodes \d+, "
        r"ranks (?P<ranks>\d+), threads (?P<threads>\d+), time \S+ s, "
        r"efficiency (?P<efficiency>\S+), of roof (?P<roof>\S+)$")


@rfm.simple_test
class AuxsegStudy(rfm.RunOnlyRegressionTest):
    ranks = variable(str, value="1,2")
    options = variable(str, value="")
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    local = True  # the command starts its ranks itself

    @run_before("run")
    def command(self):
        self.executable = os.path.abspath(os.environ["AUXSEG"])
        self.executable_opts = ["study", os.path.abspath(os.environ["CONFIG"]), "--ranks",
                                self.ranks, "--out", "study", *self.options.split()]

    @sanity_function
    def same_results(self):
        return sn.assert_found(r"^Result: PASS$", self.stdout)

    @run_before("performance")
    def figures(self):
        with open(os.path.join(self.stagedir, self.stdout.evaluate())) as log:
            found = [m for m in map(re.compile(LINE).match, log) if m]
        for m in found:
            name = f"{m['stage']}_{m['ranks']}_{m['threads']}"
            for part, value, unit in (("", m["fom"], m["unit"]),
                                      ("_efficiency", m["efficiency"], "1"),
                                      ("_of_roof", m["roof"], "1")):
                self.perf_variables[name + part] = sn.make_performance_function(
                    sn.defer(float(value)), unit)
