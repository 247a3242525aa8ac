// The other side of compare_queue.py: graphile-worker with the settings of its own perfTest.
// usage: node graphile.mjs DIR schema | add N | drain | latency N      (DATABASE_URL)
import { createRequire } from "node:module";

const [dir, verb, count] = process.argv.slice(2);
const { Logger, run, runMigrations, runOnce, makeWorkerUtils } = createRequire(
  `${dir}/`,
)("graphile-worker");
const options = {
  connectionString: process.env.DATABASE_URL,
  preset: {
    worker: {
      connectionString: process.env.DATABASE_URL,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  logger: new Logger(() => () => {}),
};

async function latency(n) {
  const started = new Map();
  const runner = await run({
    ...options,
    taskList: { start: ({ id }) => void started.get(id)(performance.now()) },
  });
  const utils = await makeWorkerUtils(options);
  const times = [];
  for (let id = 0; id < n; id++) {
    const start = new Promise((resolve) => started.set(id, resolve));
    const before = performance.now();
    await utils.addJob("start", { id });
    times.push((await start) - before);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await utils.release();
  await runner.stop();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)];
  console.log(JSON.stringify({ start_p50_ms: at(0.5), start_p99_ms: at(0.99) }));
}

if (verb === "schema") {
  await runMigrations(options);
} else if (verb === "add") {
  const utils = await makeWorkerUtils(options);
  await utils.withPgClient((client) =>
    client.query(
      `select graphile_worker.add_jobs(array(select ('noop',
         json_build_object('id', i), null, null, null, null, null, null)
         ::graphile_worker.job_spec from generate_series(1, $1::int) i))`,
      [count],
    ),
  );
  await utils.release();
} else if (verb === "drain") {
  await runOnce({ ...options, taskList: { noop: () => {} } });
} else if (verb === "latency") {
  await latency(Number(count));
}
