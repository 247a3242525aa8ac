#!/usr/bin/python3
"""Measures the queue beside graphile-worker on one PostgreSQL server: one command prints
a table as markdown and writes JSON.

usage: compare_queue.py BIN [--jobs N,...] [--runs R] [--latency N] [--no-peer] [--json F]

BIN is the folder with relusweep's programs. The server is made for the purpose, durable,
with the settings below. Runs are interleaved A B A B, the first of each is a warm-up that
does not count, every run has a database of its own and begins after VACUUM and CHECKPOINT.
Ours: `relusweep bench queue` with two workers, CURVE, full history; it fails unless each
job ran exactly once. Theirs: version PEER from npm, two processes with the settings of its
own perfTest (24 jobs at once, local queue of 500, batched completion), the time of an
empty start taken off. Then ours with another session that holds an old snapshot, and the
time from submission to start on an idle queue, beside jobs that wait, and ahead of jobs
that run at full speed until those are done: from the call that submits to the moment at
which the job runs, on both sides; ours also from the moment at which that call has
returned. Numbers
are medians with the range; server time of ours includes making the jobs, of theirs not;
the load average and processor microseconds a job say how far
they can be believed on a machine that is not quiet. Exits with 77 where a server or npm is
missing.
"""
import argparse
import json
import os
import pwd
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PEER = "graphile-worker@0.17.3"
HELD = "relusweep, beside an old snapshot"
SETTINGS = {"listen_addresses": "", "shared_buffers": "512MB", "max_wal_size": "4GB",
            "max_connections": "100", "fsync": "on", "synchronous_commit": "on"}


class Server:
    """A private cluster; its programs run as `postgres` where we are root."""

    def __init__(self, bindir):
        self.bindir = bindir
        self.dir = tempfile.mkdtemp(prefix="relusweep-bench-")
        os.chmod(self.dir, 0o755)
        self.data = os.path.join(self.dir, "data")
        self.as_user = []
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.as_user = ["runuser", "-u", "postgres", "--"]
        self.tool("initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                  "--data-checksums")
        options = " ".join(f"-c {k}='{v}'" for k, v in SETTINGS.items())
        options += f" -c unix_socket_directories='{self.dir}'"
        self.tool("pg_ctl", "-D", self.data, "-l", f"{self.dir}/log", "-o", options, "-w",
                  "start")
        with open(f"{self.data}/postmaster.pid") as f:
            self.pid = int(f.readline())

    def tool(self, name, *args):
        subprocess.run([*self.as_user, os.path.join(self.bindir, name), *args], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.dir)

    def sql(self, database, text):
        return subprocess.run(
            ["psql", "-h", self.dir, "-U", "postgres", "-d", database, "-AtXqc", text],
            check=True, capture_output=True, text=True).stdout.strip()

    def fresh(self, name):
        self.sql("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.sql("postgres", f"CREATE DATABASE {name}")

    def cpu_s(self):
        """Processor seconds of the server so far, ended processes too."""
        total = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    row = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(pid) == self.pid:
                total += sum(map(int, row[11:15]))
            elif int(row[1]) == self.pid:
                total += sum(map(int, row[11:13]))
        return total / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.tool("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.dir)


def children_s():
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def measured(server, jobs, work):
    """What work() returns, with the processor time a job of the server and the rest."""
    before = server.cpu_s(), children_s()
    out = work()
    out["server_us"] = 1e6 * (server.cpu_s() - before[0]) / jobs
    out["programs_us"] = 1e6 * (children_s() - before[1]) / jobs
    out["load"] = os.getloadavg()[0]
    return out


class Ours:
    name = "relusweep"

    def __init__(self, server, bindir):
        self.server, self.program = server, os.path.join(bindir, "relusweep")

    def bench(self, jobs, *options):
        self.server.fresh("ours")
        database = f"host={self.server.dir} user=postgres dbname=ours"
        subprocess.run([self.program, "db", "migrate", "--database", database], check=True,
                       stderr=subprocess.DEVNULL)
        text = subprocess.run(
            [self.program, "bench", "queue", "--json", "--jobs", str(jobs), "--database",
             database, *options], check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(text)

    def run(self, jobs):
        return measured(self.server, jobs, lambda: self.bench(jobs, "--latency", "0"))

    def run_held(self, jobs):
        return measured(self.server, jobs,
                        lambda: self.bench(jobs, "--latency", "0", "--held"))


class Theirs:
    name = PEER.replace("@", " ")

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        os.makedirs(folder, exist_ok=True)
        if not os.path.isdir(os.path.join(folder, "node_modules", "graphile-worker")):
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", PEER],
                           cwd=folder, check=True)
        self.env = dict(os.environ,
                        DATABASE_URL=f"postgres:///theirs?host={server.dir}&user=postgres")

    def node(self, *args):
        return subprocess.Popen(["node", f"{HERE}/graphile.mjs", self.folder, *args],
                                env=self.env, stdout=subprocess.PIPE, text=True)

    def do(self, *args):
        p = self.node(*args)
        text = p.communicate()[0]
        if p.returncode != 0:
            raise SystemExit(f"graphile.mjs {args[0]} failed")
        return text

    def drain(self):
        start = time.monotonic()
        both = [self.node("drain") for _ in range(2)]
        if any([p.wait() != 0 for p in both]):
            raise SystemExit("graphile.mjs drain failed")
        return time.monotonic() - start

    def run(self, jobs):
        self.server.fresh("theirs")
        self.do("schema")
        empty = self.drain()
        self.do("add", str(jobs))
        self.server.sql("theirs", "VACUUM ANALYZE")
        self.server.sql("theirs", "CHECKPOINT")
        return measured(self.server, jobs, lambda: self.timed(jobs, empty))

    def timed(self, jobs, empty):
        seconds = self.drain() - empty
        left = self.server.sql("theirs",
                               "SELECT count(*) FROM graphile_worker._private_jobs")
        if left != "0":
            raise SystemExit(f"{left} of their jobs are left")
        return {"seconds": seconds, "jobs_per_second": jobs / seconds}

    def latency(self, n):
        self.server.fresh("theirs")
        self.do("schema")
        return json.loads(self.do("latency", str(n)))


def summary(rows):
    rates = [r["jobs_per_second"] for r in rows]
    return {"median": statistics.median(rates), "min": min(rates), "max": max(rates),
            "server_us": min(r["server_us"] for r in rows),
            "programs_us": min(r["programs_us"] for r in rows), "runs": rows}


def interleaved(ways, jobs, runs):
    """A B A B ...; the first round is the warm-up."""
    rows = {name: [] for name, _ in ways}
    for i in range(runs + 1):
        for name, run in ways:
            out = run(jobs)
            print(f"{name}, {jobs} jobs: {out['jobs_per_second']:.0f}/s, load "
                  f"{out['load']:.1f}{' (warm-up)' if i == 0 else ''}", file=sys.stderr)
            if i > 0:
                rows[name].append(out)
    return {name: summary(r) for name, r in rows.items()}


def print_throughput(jobs, doc):
    print(f"\n| {jobs} jobs | jobs/s | range | server, us a job | programs, us a job |")
    print("|---|--:|--:|--:|--:|")
    for name, s in doc.items():
        print(f"| {name} | {s['median']:.0f} | {s['min']:.0f} to {s['max']:.0f} "
              f"| {s['server_us']:.1f} | {s['programs_us']:.1f} |")
    ours = doc[Ours.name]["median"]
    for name in doc:
        if name == HELD:
            print(f"\nA held snapshot costs {100 * (1 - doc[name]['median'] / ours):.0f} %.")
        elif name != Ours.name:
            print(f"\n{Ours.name} is {ours / doc[name]['median']:.2f} times as fast as "
                  f"{name}.")


def print_latency(rows):
    print("\n| submission to start | p50, ms | p99, ms |\n|---|--:|--:|")
    for name, r in rows.items():
        print(f"| {name} | {r['start_p50_ms']:.2f} | {r['start_p99_ms']:.2f} |")
        if "committed_start_p50_ms" in r:
            print(f"| {name}, from the commit of the submission "
                  f"| {r['committed_start_p50_ms']:.2f} | {r['committed_start_p99_ms']:.2f} |")
            print(f"| (a row's commit meanwhile) "
                  f"| {r['commit_p50_ms']:.2f} | {r['commit_p99_ms']:.2f} |")


def find_server():
    for path in [os.environ.get("PG_BINDIR", "")] + sorted(
            (f"/usr/lib/postgresql/{v}/bin" for v in os.listdir("/usr/lib/postgresql")),
            reverse=True) if os.path.isdir("/usr/lib/postgresql") else []:
        if path and os.path.exists(os.path.join(path, "initdb")):
            return path
    return None


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    p.add_argument("bin")
    p.add_argument("--jobs", default="200000,1000000")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--latency", type=int, default=500)
    p.add_argument("--no-peer", action="store_true")
    p.add_argument("--json")
    a = p.parse_args()
    bindir = find_server()
    if not bindir or not (a.no_peer or shutil.which("npm")):
        return 77
    sizes = [int(n) for n in a.jobs.split(",")]
    server = Server(bindir)
    doc = {"settings": SETTINGS, "cores": os.cpu_count(), "throughput": {}, "latency": {}}
    try:
        ours = Ours(server, a.bin)
        ways = [(ours.name, ours.run)]
        if not a.no_peer:
            theirs = Theirs(server, os.path.join(os.path.dirname(
                os.path.abspath(a.bin)), "bench-graphile"))
            ways.append((theirs.name, theirs.run))
            doc["latency"][f"{theirs.name}, idle"] = theirs.latency(a.latency)
        for jobs in sizes:
            here = ways + ([(HELD, ours.run_held)] if jobs == sizes[0] else [])
            doc["throughput"][jobs] = interleaved(here, jobs, a.runs)
            print_throughput(jobs, doc["throughput"][jobs])
        n = str(a.latency)
        doc["latency"]["idle"] = ours.bench(1000, "--latency", n)
        doc["latency"][f"beside {sizes[-1]} that wait"] = ours.bench(
            sizes[-1], "--waiting", "--latency", n)
        doc["latency"][f"ahead of {sizes[0]} that run at full speed"] = ours.bench(
            sizes[0], "--busy", "--latency", n)
        print_latency(doc["latency"])
    finally:
        server.stop()
    if a.json:
        with open(a.json, "w") as f:
            json.dump(doc, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
