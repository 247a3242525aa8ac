#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "coordinator/dispatch/job_state.h"
#include "tests/sim/world.h"

/*
 * The database: rows as structs, a transaction as a copy of all of them that replaces the
 * committed ones at once or never. Statements are in statements.c, what people do in
 * people.c. Jobs of the limited class run world.limit at once (0: any number), those of the
 * picky class on worker 0 only. Numbers of jobs, workers and attempts begin with 1.
 */
enum { ANY_CLASS, LIMITED_CLASS, PICKY_CLASS, N_CLASSES };
enum { MAX_PARENTS = 2, MAX_BOOTS = 200, MAX_NEWS = 64 };

enum counter { N_ERROR, N_LOST, N_OOM, N_TIMEOUT, N_STOPPED, N_COUNTERS };

struct attempt_row {
    bool exists, started;
    char outcome[16]; /* "": open */
    char fingerprint[24];
    int64_t metric_seq, points;
};

struct job_row {
    enum job_state state;
    int64_t attempt, worker, priority, cause, not_before_ms;
    int64_t class; /* 0 .. N_CLASSES - 1 */
    int64_t n[N_COUNTERS];
    int64_t parents[MAX_PARENTS]; /* 0: none */
    bool cancel_open, cancel_hard, hold_open;
    int64_t final_attempt, final_job;
    double final_value;
    int64_t head_attempt, head_step, head_blob;
    int64_t before_attempt, before_step, before_blob; /* the checkpoint before it */
    int64_t model_attempt, model_blob;
    struct attempt_row attempts[MAX_ATTEMPTS + 1];
};

struct model {
    int64_t epoch, n_jobs, n_workers, n_news;
    struct job_row jobs[MAX_JOBS + 1];
    struct worker_slot {
        char boot[17], name[8];
        bool connected;
    } workers[MAX_BOOTS + 1];
    bool stored[MAX_BLOBS]; /* blobs by number */
    int64_t news[MAX_NEWS]; /* jobs */
    bool many;              /* more than news says: the whole queue has to be read */
};

/* What is committed. */
extern struct model *model;

void model_reset(void);

/* Wall clock of the server. */
int64_t model_clock_ms(void);
void model_jump_clock(int64_t ms);

/* Ends all sessions; no new ones before that time. */
void model_stop_server(int64_t until_ms);
/* Ends the session that holds the leader's lock. */
void model_kill_leader(void);

/* A transaction: a copy, and its commit, which is checked. by_people: may take jobs
 * back. */
struct model *model_begin(void);
void model_commit(bool by_people);

/* What must be true of every commit (check.c). */
void check_commit(const struct model *before, const struct model *after,
                  bool by_people);
/* Of a checkpoint that was moved. */
void check_checkpoint(const struct job_row *j, int64_t job);
/* Of what coordinator c says to the worker process `boot`. */
void check_said(const char *boot, const struct msg *m);
/* Of the memory of a coordinator that has nothing under way. */
void check_memory(int c);
/* At the end. */
bool check_settled(void);
void check_end(void);

bool model_parents_done(const struct model *m, const struct job_row *j);
int64_t model_rank(const struct model *m, int64_t job);
/* Moves the blocked jobs whose parents say so. */
void model_settle(struct model *m);

/* A blob arrives or is removed when nobody points at it. */
void model_store_blob(int64_t blob);
void model_sweep_blobs(void);

struct pg;
/* The server knows this session still. */
bool model_serves(const struct pg *pg);

/* Notifications that the sessions of coordinators have not taken: jobs as they were when
 * they were made, or `look`. */
struct model_note {
    int64_t id, rank, class;
};
struct model_notes {
    bool look;
    struct model_note jobs[MAX_NEWS];
    int64_t n;
};
extern struct model_notes model_notes;

/* People: */
void people_submit(void);
void people_act(void);
/* Everything that is held goes on. */
void people_resume(void);

#endif
