/*
 * lease.pml - lease, fence and failover, for Spin: one job, two workers, two
 * coordinators, three attempts. A transaction is one atomic step of whoever holds the
 * lock. There are no clocks: a lease may end at any moment, a session of the database
 * too, with its coordinator none the wiser; messages are lost, late, and come twice; and
 * whoever has committed may die before he says so.
 *
 * Checked at the places where it matters:
 *   - an attempt runs at most once, and only after its lease was committed;
 *   - only the current attempt can succeed, and only one ever does;
 *   - who is told that his result is in finds it there.
 * Faults that must be found: -DNO_FENCE, -DACK_FIRST, -DGRANT_FIRST (check.sh).
 */
#define WORKERS  2
#define ATTEMPTS 3
#define NOBODY   9

mtype = { READY, LEASED, DONE };

/* the database */
mtype state = READY;
byte attempt = 0, winner = 0, leader = NOBODY;

/* under way: bit `attempt` of each */
byte granted[WORKERS], sent;
/* what has happened: attempts that ran, results that were acknowledged */
byte ran, told;

#define bit(n) (1 << (n))
#define is_in(set, n) ((set) & bit(n))

#ifdef NO_FENCE
#define is_current(a) (state == LEASED)
#else
#define is_current(a) (state == LEASED && (a) == attempt)
#endif

inline take_one(set) {
    if
    :: is_in(set, 1) -> a = 1
    :: is_in(set, 2) -> a = 2
    :: is_in(set, 3) -> a = 3
    fi
}

inline commit_lease(a) {
    if
    :: leader == me && state == READY && attempt == (a) - 1 ->
        state = LEASED; attempt = a; ok = 1
    :: else -> ok = 0
    fi
}

inline commit_result(a) {
    if
    :: leader == me && is_current(a) ->
        assert((a) == attempt && winner == 0);
        state = DONE; winner = a; ok = 1
    :: leader == me && state == DONE && winner == (a) -> ok = 1 /* it was so already */
    :: else -> ok = 0
    fi
}

inline tell(a) {
    if
    :: told = told | bit(a)
    :: skip /* he dies, or the message is lost */
    fi
}

proctype coordinator(byte me)
{
    byte a = 0, w = 0;
    bit ok = 0;

end:
    do
    :: atomic { leader == NOBODY -> leader = me }
    :: d_step {
            leader == me && state == READY && attempt < ATTEMPTS -> a = attempt + 1
        };
        atomic { if :: w = 0 :: w = 1 fi };
#ifdef GRANT_FIRST
        granted[w] = granted[w] | bit(a);
        atomic { commit_lease(a); a = 0; w = 0; ok = 0 }
#else
        atomic { commit_lease(a) };
        atomic {
            if
            :: ok -> granted[w] = granted[w] | bit(a)
            :: skip
            fi;
            a = 0; w = 0; ok = 0
        }
#endif
    :: atomic { leader == me && state == LEASED -> state = READY } /* silence */
    :: atomic { sent != 0 -> take_one(sent) };
#ifdef ACK_FIRST
        tell(a);
        atomic { commit_result(a); a = 0; ok = 0 }
#else
        atomic { commit_result(a) };
        atomic { if :: ok -> tell(a) :: else fi; a = 0; ok = 0 }
#endif
    od
}

/* Runs what it is granted; says so once, again, or dies before it. */
proctype worker(byte me)
{
    byte a = 0;

end:
    do
    :: atomic {
            granted[me] != 0 ->
            take_one(granted[me]);
            granted[me] = granted[me] & ~bit(a);
            assert(!is_in(ran, a) && a <= attempt);
            ran = ran | bit(a)
        };
        do
        :: sent = sent | bit(a)
        :: a = 0; break
        od
    od
}

/* The network loses, the server ends sessions. */
proctype trouble()
{
end:
    do
    :: atomic { leader != NOBODY -> leader = NOBODY }
    :: atomic { sent != 0 -> sent = 0 }
    :: atomic { granted[0] != 0 -> granted[0] = 0 }
    :: atomic { granted[1] != 0 -> granted[1] = 0 }
    od
}

/* Looks at any moment. */
proctype observer()
{
end:
    atomic { told != 0 -> assert(state == DONE && told == bit(winner)) }
}

init {
    atomic {
        run coordinator(0); run coordinator(1);
        run worker(0); run worker(1);
        run trouble(); run observer()
    }
}
