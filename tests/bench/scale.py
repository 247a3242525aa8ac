#!/usr/bin/python3
"""Measures what grows with the size of a sweep and of a fleet, on a PostgreSQL server made
for the purpose, durable, with the settings of a private cluster.

usage: scale.py BIN TESTS [--jobs N] [--workers N] [--lease-ms MS] [--mib N] [--files] [PART...]

BIN is the folder with relusweep's programs, TESTS that of the built tests. Parts:
plan, submit   a sweep of N jobs with edges
restart        a coordinator comes to N ready jobs: until they are in its memory, and how
               much of that it is
fleet          N idle workers with CURVE: the coordinator's share of a core
artifact       N MiB up and down with CURVE, and from submission to start before it and
               meanwhile, beside what the commit of a row alone takes then; with --files
               into a folder (--artifact-dir), else into PostgreSQL
Prints a line for each number. Exits with 77 where there is no server.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare_queue  # noqa: E402

compare_queue.SETTINGS.update({"shared_buffers": "64MB", "max_wal_size": "1GB",
                               "wal_buffers": "16MB"})
SWEEP = """name: large
fixed: {{method: rlnet, dataset: synthetic, model: resnet10-w8, train_images: 1500,
  val_images: 500, relu_budget: 4k, temperature: 4}}
grid: {{seed: "range(0,{cells},1)"}}
"""
STAGES = 4


def say(part, name, value, unit):
    print(f"{part:10} {name:34} {value:12.6g} {unit}", flush=True)


class Process:
    """What the kernel knows of a running program."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat") as f:
            row = f.read().rpartition(")")[2].split()
        return sum(map(int, row[11:13])) / os.sysconf("SC_CLK_TCK")

    def mib(self, field):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(rf"{field}:\s+(\d+)", f.read()).group(1)) / 1024


class Scene:
    def __init__(self, args, server):
        self.args, self.server = args, server
        self.program = os.path.join(args.bin, "relusweep")
        self.dir = tempfile.mkdtemp(prefix="relusweep-scale-")
        self.keys = os.path.join(self.dir, "keys")

    def database(self):
        return f"host={self.server.dir} user=postgres dbname=scale"

    def relusweep(self, *words):
        return subprocess.run([self.program, *words, "--database", self.database()],
                              check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout

    def fresh(self):
        self.server.fresh("scale")
        self.relusweep("db", "migrate")

    def sweep_file(self):
        path = os.path.join(self.dir, "large.yaml")
        with open(path, "w") as f:
            f.write(SWEEP.format(cells=self.args.jobs // STAGES))
        return path

    def sql(self, text):
        return self.server.sql("scale", text)

    def make_keys(self):
        """Both sides in one folder."""
        if os.path.exists(self.keys):
            return
        for who in "coordinator", "worker":
            subprocess.run([self.program, "keys", "new", who, "--keys", self.keys],
                           check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        key = os.path.join(self.keys, "worker.pub")
        subprocess.run([self.program, "keys", "allow", key, "--name", "bench", "--keys",
                        self.keys], check=True, stderr=subprocess.DEVNULL)

    def coordinator(self, *options):
        """Starts one and waits until it serves. Returns it and its endpoints."""
        ready = os.path.join(self.dir, "ready.json")
        if os.path.exists(ready):
            os.remove(ready)
        log = open(os.path.join(self.dir, "coordinator.log"), "w")
        p = subprocess.Popen([os.path.join(self.args.bin, "relusweep-coordinator"),
                              "--database", self.database(), "--listen",
                              "tcp://127.0.0.1:*", "--listen-bulk", "tcp://127.0.0.1:*",
                              "--ready-file", ready, *options], stderr=log)
        while not os.path.exists(ready):
            if p.poll() is not None:
                sys.exit(f"the coordinator ended; see {log.name}")
            time.sleep(0.002)
        with open(ready) as f:
            return p, json.load(f)


def end(p):
    p.terminate()
    p.wait()


def timed(work):
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def plan(s):
    words = ("plan", s.sweep_file(), "--max-cells", str(s.args.jobs))
    say("plan", f"{s.args.jobs} jobs", timed(lambda: s.relusweep(*words)), "s")


def submit(s):
    s.fresh()
    words = ("submit", s.sweep_file(), "--max-cells", str(s.args.jobs))
    before = s.server.cpu_s()
    say("submit", f"{s.args.jobs} jobs", timed(lambda: s.relusweep(*words)), "s")
    say("submit", "processor time of the server", s.server.cpu_s() - before, "s")
    say("submit", "edges", int(s.sql("SELECT count(*) FROM job_child")), "")
    say("submit", "again", timed(lambda: s.relusweep(*words)), "s")
    say("submit", "pause", timed(lambda: s.relusweep("pause", "large")), "s")
    say("submit", "resume", timed(lambda: s.relusweep("resume", "large")), "s")


def restart(s):
    """All jobs ready: the most that there is to read."""
    s.fresh()
    s.sql(f"""INSERT INTO job_form (method, stage, template) VALUES ('m', 's', '{{}}');
        INSERT INTO job_def (digest, form) SELECT sha256(n::text::bytea), 1
            FROM generate_series(1, {s.args.jobs}) n;
        INSERT INTO job (id, state) SELECT job, 'ready' FROM job_def ORDER BY job""")
    s.sql("VACUUM ANALYZE job")
    s.sql("CHECKPOINT")
    for round_ in range(3):
        begin = time.monotonic()
        p, _ = s.coordinator()
        served = time.monotonic() - begin
        log = os.path.join(s.dir, "coordinator.log")
        while "action=sync" not in open(log).read():
            time.sleep(0.002)
        say("restart", f"{s.args.jobs} ready jobs in memory", time.monotonic() - begin, "s")
        if round_ == 0:
            say("restart", "of it until workers are served", served, "s")
            rss, peak = Process(p.pid).mib("VmRSS"), Process(p.pid).mib("VmHWM")
            say("restart", "memory a job", rss * 2**20 / s.args.jobs, "bytes")
            say("restart", "memory a job at the peak", peak * 2**20 / s.args.jobs, "bytes")
        end(p)


def fleet(s):
    s.fresh()
    s.make_keys()
    p, doc = s.coordinator("--keys", s.keys, "--lease-ms", str(s.args.lease_ms))
    seconds = 15
    crowd = subprocess.Popen([os.path.join(s.args.tests, "fleet"), doc["control"],
                              str(s.args.workers), str(seconds + 25), s.keys])
    try:
        while int(s.sql("SELECT count(*) FROM worker WHERE connected")) < s.args.workers:
            if crowd.poll() is not None:
                sys.exit("the fleet ended")
            time.sleep(0.5)
        time.sleep(3)
        before = Process(p.pid).cpu_s()
        took = timed(lambda: time.sleep(seconds))
        share = (Process(p.pid).cpu_s() - before) / took
        lost = s.sql("SELECT count(*) FROM worker WHERE NOT connected")
        say("fleet", f"{s.args.workers} workers: of a core", 100 * share,
            f"% with leases of {s.args.lease_ms} ms")
        say("fleet", "memory of the coordinator", Process(p.pid).mib("VmRSS"), "MiB")
        say("fleet", "workers lost", int(lost), "")
    finally:
        crowd.kill()
        end(p)


# As `submit` does for a job without priority, which stands in the order of its number.
ONE_JOB = """WITH d AS (INSERT INTO job_def (digest, form) SELECT
    sha256(clock_timestamp()::text::bytea), min(id) FROM job_form RETURNING job),
  j AS (INSERT INTO job (id, state) SELECT job, 'ready' FROM d RETURNING id),
  n AS (INSERT INTO news (job, last) SELECT id, id FROM j RETURNING id)
  SELECT j.id, pg_notify('relusweep', format('ready %s:%s:0', j.id, -j.id)) FROM j, n;
"""
ONE_ROW = "INSERT INTO event (kind, detail) VALUES ('drill', '') RETURNING id;\n"


class Psql:
    """A session that answers each statement with one line."""

    def __init__(self, s):
        self.p = subprocess.Popen(["psql", "-h", s.server.dir, "-U", "postgres", "-d",
                                   "scale", "-AtXq"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)

    def ask(self, statement):
        """The first number of the line, and ms from the call to the answer."""
        begin = time.monotonic_ns()
        self.p.stdin.write(statement)
        self.p.stdin.flush()
        number = int(self.p.stdout.readline().split("|")[0])
        return number, begin / 1e6, (time.monotonic_ns() - begin) / 1e6

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def starts_while(s, doc, other):
    """Submits jobs one by one until the other program ends. Returns of each when, in ms of
    the monotonic clock; how long it took to start at a worker from the call and from its
    end, in ms; and how long a row alone took, committed after it."""
    path = os.path.join(s.dir, "starts")
    worker = subprocess.Popen([os.path.join(s.args.bin, "relusweep-worker"), "noop",
                               "--connect", doc["control"], "--keys", s.keys, "--slots",
                               "1", "--starts", path], stderr=subprocess.DEVNULL)
    psql = Psql(s)
    sent = {}
    while int(s.sql("SELECT count(*) FROM worker WHERE connected")) == 0:
        time.sleep(0.05)
    while other.poll() is None:
        job, at, took = psql.ask(ONE_JOB)
        time.sleep(0.01)
        sent[job] = at, took, psql.ask(ONE_ROW)[2]
        time.sleep(0.005)
    psql.close()
    time.sleep(0.5)
    end(worker)
    with open(path, "rb") as f:
        rows = [(job, at / 1e6) for job, at in struct.iter_unpack("=qq", f.read())]
    return [(sent[job][0], start - sent[job][0], start - sent[job][0] - sent[job][1],
             sent[job][2]) for job, start in rows if job in sent]


def say_percentiles(what, ms):
    ms = sorted(ms)
    say("artifact", f"{what}: p50", ms[len(ms) // 2], "ms")
    say("artifact", f"{what}: p99", ms[len(ms) * 99 // 100], "ms")


def artifact(s):
    s.fresh()
    s.make_keys()
    s.sql("INSERT INTO job_form (method, stage, template) VALUES ('m', 's', '{}')")
    folder = ["--artifact-dir", os.path.join(s.dir, "artifacts")] if s.args.files else []
    p, doc = s.coordinator("--keys", s.keys, *folder)
    try:
        other = subprocess.Popen([os.path.join(s.args.tests, "transfer"), doc["bulk"],
                                  str(s.args.mib), s.dir, s.keys],
                                 stdout=subprocess.PIPE, text=True)
        starts = starts_while(s, doc, other)
        spans = json.loads(other.stdout.read())
        spans["before"] = {"from_ms": 0, "to_ms": spans["up"]["from_ms"]}
        for name in "before", "up", "down":
            t = spans[name]
            if "MB_s" in t:
                say("artifact", f"{s.args.mib} MiB {name}", t["MB_s"], "MB/s")
            here = [row for row in starts if t["from_ms"] <= row[0] <= t["to_ms"]]
            say_percentiles(f"{len(here)} jobs to start", [row[1] for row in here])
            say_percentiles("from their commit", [row[2] for row in here])
            say_percentiles("a row's commit", [row[3] for row in here])
    finally:
        end(p)


PARTS = {"plan": plan, "submit": submit, "restart": restart, "fleet": fleet,
         "artifact": artifact}


def main():
    a = argparse.ArgumentParser(usage=__doc__)
    a.add_argument("bin")
    a.add_argument("tests")
    a.add_argument("parts", nargs="*", default=list(PARTS))
    a.add_argument("--jobs", type=int, default=1_000_000)
    a.add_argument("--workers", type=int, default=10_000)
    a.add_argument("--lease-ms", type=int, default=25000)
    a.add_argument("--mib", type=int, default=1024)
    a.add_argument("--files", action="store_true")
    args = a.parse_intermixed_args()
    bindir = compare_queue.find_server()
    if not bindir:
        sys.exit(77)
    server = compare_queue.Server(bindir)
    try:
        scene = Scene(args, server)
        try:
            for part in args.parts:
                PARTS[part](scene)
        finally:
            shutil.rmtree(scene.dir)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
