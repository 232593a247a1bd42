# auxseg for Ramble and Benchpark: a study of scaling whose points the program starts itself.
#   ramble repo add jobs/ramble; ramble workspace create study -c jobs/ramble/ramble.yaml
from ramble.appkit import *


class Auxseg(ExecutableApplication):
    """Contrastive pretraining for semantic segmentation with cross-image auxiliary labels"""

    name = "auxseg"

    executable(
        "study",
        "{auxseg} study {config} --ranks {study_ranks} {study_options} --out {experiment_run_dir}/study",
        use_mpi=False,
    )
    workload("study", executables=["study"])

    workload_variable("auxseg", default="auxseg", description="The program", workloads=["study"])
    workload_variable("config", default="demo.cfg", description="Settings", workloads=["study"])
    workload_variable("study_ranks", default="1,2", description="Ranks", workloads=["study"])
    workload_variable("study_options", default="", description="More words", workloads=["study"])

    point = (
        r"Figure of Merit \(FOM\):\s+(?P<fom>\S+) (?P<unit>[^,]+), (?P<stage>\w+), "
        r"nodes (?P<nodes>\d+), ranks (?P<ranks>\d+), threads (?P<threads>\d+), "
        r"time (?P<time>\S+) s, efficiency (?P<efficiency>\S+), of roof (?P<roof>\S+)"
    )
    figure_of_merit_context(
        "point", regex=point, output_format="{stage}, ranks {ranks}, threads {threads}"
    )
    for title, group, unit in (
        ("Figure of Merit (FOM)", "fom", ""),
        ("Unit", "unit", ""),
        ("Time", "time", "s"),
        ("Efficiency", "efficiency", ""),
        ("Efficiency of the roof", "roof", ""),
    ):
        figure_of_merit(title, fom_regex=point, group_name=group, units=unit, contexts=["point"])

    success_criteria("same results", mode="string", match=r"Result: PASS")
