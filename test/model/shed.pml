/* R7 by itself, for SPIN: holders of one live root let it go, fetch it again, let it go again, in several rounds; at
 * least GOAL copies stay. The names are those of deletion.m.
 *
 * A device's state is its newest listing; others read it at any later time, and what they read stands in their own at
 * once, which is the earliest moment for it to be evidence.
 * Sizes: -DHOLDERS=n -DGOAL=m -DROUNDS=k. Parts of R7 switched off: -DNO_INTENT (nothing is announced), -DSIGHT=1 (any
 * earlier intent counts), -DSIGHT=0 (seen or not), -DNO_NOT_SHEDDING (who sheds too counts).
 */
#ifndef HOLDERS
#define HOLDERS 3
#endif
#ifndef GOAL
#define GOAL 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef SIGHT
#define SIGHT 2
#endif

typedef Listing { bit holds; byte shedding; byte saw[HOLDERS] }
typedef View { Listing from[HOLDERS] }
View view[HOLDERS];
byte rounds[HOLDERS];
byte q, h, i, counted, copies;

#define OWN view[q].from[q]

#ifdef NO_NOT_SHEDDING
#define STANDS(l) (l.holds)
#else
#define STANDS(l) (l.holds && l.shedding == 0)
#endif
#if SIGHT == 2
#define SAW(l) (l.saw[q] >= OWN.shedding)
#elif SIGHT == 1
#define SAW(l) (l.saw[q] >= 1)
#else
#define SAW(l) true
#endif

inline count_copies() {
  copies = 0;
  for (i : 0 .. HOLDERS - 1) { copies = copies + view[i].from[i].holds }
  i = 0
}

inline pick(d) { d = 0; do :: d < HOLDERS - 1 -> d++ :: break od }

active proctype mesh() {
  d_step {
    for (q : 0 .. HOLDERS - 1) { for (h : 0 .. HOLDERS - 1) { view[q].from[h].holds = 1 } }
    q = 0; h = 0
  }
  do
  :: atomic {
       pick(q);
       if
       :: pick(h);                                             /* reads a listing */
          if
          :: h != q ->
             view[q].from[h].holds = view[h].from[h].holds;
             view[q].from[h].shedding = view[h].from[h].shedding;
             view[q].from[h].saw[q] = view[h].from[h].saw[q];      /* what it saw of third ones, no rule asks */
             OWN.saw[h] = (view[h].from[h].shedding -> view[h].from[h].shedding : OWN.saw[h]);
             printf("holder %d reads holder %d\n", q, h)
          :: else -> skip
          fi
       :: OWN.holds && OWN.shedding == 0 && rounds[q] < ROUNDS ->   /* intends to shed */
          rounds[q]++;
#ifndef NO_INTENT
          OWN.shedding = rounds[q];
#endif
          printf("holder %d intends to shed\n", q)
       :: OWN.shedding > 0 ->                                  /* trying again is a new round */
          OWN.shedding = 0;
          printf("holder %d stops shedding\n", q)
       :: OWN.holds && rounds[q] > 0 ->                        /* sheds */
          counted = 0;
          for (i : 0 .. HOLDERS - 1) {
            if
            :: i != q && STANDS(view[q].from[i]) && SAW(view[q].from[i]) -> counted++
            :: else -> skip
            fi
          }
          i = 0;
          if
#ifdef NO_INTENT
          :: counted >= GOAL ->
#else
          :: counted >= GOAL && OWN.shedding > 0 ->
#endif
             OWN.holds = 0;
             OWN.shedding = 0;
             printf("holder %d sheds\n", q);
             count_copies();
             assert(copies >= GOAL)
          :: else -> skip
          fi
       :: !OWN.holds ->                                        /* fetches it again, from whoever has it */
          count_copies();
          if
          :: copies > 0 -> OWN.holds = 1; printf("holder %d fetches it again\n", q)
          :: else -> skip
          fi
       fi;
       q = 0; h = 0; counted = 0; copies = 0
     }
  od
}
