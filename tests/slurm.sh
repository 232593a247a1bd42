# Sourced by slurm_test.sh: a Slurm of one node on this machine's loopback, as root, with its own
# munge, configuration, state and ports, all in one folder. Jobs of its partition `urgent` take the
# node from those of `test`, the default, which are told so by SIGTERM and have 30 s to end.

# free_port FROM: prints a port from FROM on that nothing listens on.
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

# slurm_configure FOLDER: writes slurm.conf and its neighbours.
slurm_configure() {
    local host controller
    host=$(hostname -s)
    controller=$(free_port $((20000 + $$ % 10000)))
    cat >"$1/slurm.conf" <<CONF
ClusterName=auxseg
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$controller
SlurmdPort=$(free_port $((controller + 1)))
AuthType=auth/munge
# A job that is put back into the queue waits until its old credential has expired.
AuthInfo=socket=$1/munge.socket,cred_expire=5
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MinJobAge=3600
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
CONF
    echo "CgroupPlugin=cgroup/v1" >"$1/cgroup.conf"
}

# slurm_start FOLDER: starts the daemons and waits for the node; 1 with the logs if it does not come.
slurm_start() {
    local try
    chmod 755 "$1" # munge: others must reach its socket
    mkdir -p "$1/state" "$1/spool"
    slurm_configure "$1"
    export SLURM_CONF=$1/slurm.conf
    dd if=/dev/urandom of="$1/munge.key" bs=1024 count=1 status=none
    chmod 600 "$1/munge.key"
    munged --force --key-file="$1/munge.key" --socket="$1/munge.socket" --num-threads=2 \
        --pid-file="$1/munge.pid" --seed-file="$1/munge.seed" --log-file="$1/munge.log"
    slurmctld -c
    slurmd
    for try in {1..60}; do
        [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && return 0
        sleep 0.5
    done
    tail -n 40 "$1"/*.log
    return 1
}

# slurm_stop FOLDER: ends the jobs, then the daemons.
slurm_stop() {
    local try daemon
    scancel --user=root 2>/dev/null || true
    for try in {1..20}; do
        [[ -n $(squeue -h 2>/dev/null) ]] || break
        sleep 0.5
    done
    for daemon in slurmd slurmctld munge; do
        [[ -e $1/$daemon.pid ]] && kill "$(cat "$1/$daemon.pid")" 2>/dev/null
    done
    for try in {1..20}; do
        [[ -e $1/slurmd.pid || -e $1/slurmctld.pid ]] || break
        sleep 0.5
    done
}
