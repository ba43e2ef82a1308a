-- Deletion without locks: rules R1 to R8 of the spec (protocol/spec/deletion-model.md), as rules of a model that
-- rumur explores in full. The runner sets the constants: sizes, what may happen, and which rules are switched off.
--
-- One chunk; every root contains it, so a root that is published can be completed as long as somebody has the chunk.
-- A device's state is its newest listing: what it does is signed at once, and read by others at any later time.
--   0 laptop: a writer; joins, is removed and returns, loses `lean`, has its disk put back, as the constants say
--   1 desktop: a writer with `forget`; it published root 0
--   2 .. LAST_HOLDER: devices that store; each has its own store
--   PHONE: a writer that does not lean; it keeps what it published until it sees it held

const
  -- Sizes.
  ROOTS: 2;
  LAST_HOLDER: 2;
  LAST: 2;          -- the last device: LAST_HOLDER, or PHONE
  PHONE: 9;         -- 9: there is none
  SESSIONS: 1;      -- at a time on the laptop
  ROUNDS: 0;        -- of shedding root 0; 0: nobody sheds
  ONE_SHEDS: false; -- only the last holder does
  INTENT_IS_SEEN: false;   -- before the start: the other has seen the last holder's intent, and it knows that
  GOAL: 1;          -- copies of which shedding leaves as many on others
  EPOCHS: 0;        -- number of the last membership entry

  -- What may happen.
  DESKTOP_LEANS: true;     -- with sessions of its own
  ONLY_ROOT_0: false;      -- is forgotten, so the desktop need not read anything
  LAPTOP_JOINS: false;     -- entry 1 admits the laptop, with `lean`
  LAPTOP_RETURNS: false;   -- entry 1 removes the laptop, entry 2 admits it as a new incarnation
  FORGET_IS_CUT: false;    -- entry 1 takes `forget` from the desktop, cut before all of its forgets
  CHAIN_IS_CLOSED: false;  -- entry 1 removes the desktop, cut after what the first holder knows of it
  LEAN_ENDS: false;        -- entry 1 takes `lean` from the laptop, cut after what the desktop knows of it
  LOG_FORKS: false;        -- beside entry 1, which admits the laptop, another entry 1 goes to some: it does not
  LOG_HAS_FORKED: false;   -- before the start: the laptop and the last holder know one branch, the other holder the other
  DISK_GOES_BACK: false;   -- the laptop's disk is put back once to an earlier state
  DATABASE_IS_LOST: false; -- a holder forgets all listings of others; its chunks and its own listing stay
  UNDO: false;             -- a holder announces root 0 anew
  LAPTOP_IS_MUTE: false;   -- the laptop never does anything

  -- Rules; false switches one off, or a part of it.
  R3_OWN_HOLDS: true;      -- a holder's own holds are marks, not only what its database says
  R4_PIN: true;            -- the horizon stops at the pins of open sessions
  R4_ALL_PINS: true;       -- of all of them
  R4_OWN_ENTRY: true;      -- a signer does not cover its own forget by signing it
  R4_CUT: true;            -- of a chain that was closed the horizon ends at the cut
  R4_BACK: true;           -- and a listing that goes back there is taken
  R4_TOGETHER: true;       -- the root ships with the horizon that goes on, or before
  R5_LIVE: true;           -- nobody leans on a root that is forgotten
  R5_UNNAMED: true;        -- nor on one that any forget ever seen names, in force or not
  R5_EPOCH: 2;             -- the holder's listing knows: 2 the leaner's membership, 1 its admission, 0 anything
  R5_NOT_SHEDDING: true;   -- nobody leans on what its holder means to let go
  R6_HORIZON: true;        -- R6b at all
  R6_FIRST_HAND: true;     -- R6b from the writer's own listing
  R6_UNKNOWN: true;        -- R6c: an unknown root stops it
  R6_FORMER: true;         -- of who had `lean`, what it announced by the cut is waited for, and not to be unknown
  R7_INTENT: true;         -- shedding is announced
  R7_SIGHT: 2;             -- the others saw: 2 the intent of this round, 1 of any, 0 nothing
  R7_NOT_SHEDDING: true;   -- who sheds too does not count
  R7_EPOCH: true;          -- nor who knows less membership
  R7_LIVE: true;           -- what is forgotten meanwhile is not shed: nobody would need to hold it
  R7_ALL_ROOTS: true;      -- a chunk goes only when no root held here has it
  R7_UNKNOWN: true;        -- an unknown root stops shedding
  R8_FLUSH: true;          -- who returns has no sessions and no horizon
  R8_FREEZE: true;         -- a fork of the membership log, once known, stops leaning (R5)
  R8_FREEZE_RECLAIM: true; -- and reclaiming
  R8_FREEZE_SHED: true;    -- and shedding
  UNDO_HELD: true;         -- only what is held is announced anew
  R11_ANEW: true;          -- who was put back is promised nothing before it begins anew

type
  Device: 0 .. LAST;
  Writer: 0 .. 1;
  Holder: 2 .. LAST_HOLDER;
  Slot: 0 .. 1;
  Root: 0 .. ROOTS - 1;
  Epoch: 0 .. EPOCHS;
  Round: 0 .. ROUNDS;
  Roots: array [Root] of boolean;
  Listing: record
    adds: Roots;
    forgets: Roots;
    holds: Roots;
    horizon: Roots;                  -- forgets that it covers
    epoch: Epoch;
    branch: boolean;                 -- of the membership log, where it forks
    shedding: Round;                 -- root 0: the round, 0 when it is not
    saw: array [Holder] of Round;    -- rounds of others that its horizon covers
  end;

var
  view: array [Device] of array [Device] of Listing;   -- view[d][d] is what d has signed
  oldAdds: array [Device] of Roots;                    -- what the laptop announced before it was removed
  isOpen: array [Writer] of array [Slot] of boolean;
  pin: array [Writer] of array [Slot] of Roots;        -- forgets in view when the session opened
  isShipping: array [Writer] of boolean;               -- the horizon has gone on, the root has not shipped
  hasChunk: array [Device] of boolean;                 -- in the store, or with PHONE the files
  rounds: array [Holder] of Round;
  newest: Epoch;                                       -- of the membership log
  cut: Roots;                                          -- LEAN_ENDS: what the laptop had announced by then;
                                                       -- CHAIN_IS_CLOSED: what the desktop had forgotten
  epoch: array [Device] of Epoch;
  branch: array [Device] of boolean;
  knowsFork: array [Device] of boolean;
  published: 0 .. ROOTS;                               -- roots 0 .. published - 1 are announced
  wasHeld: Roots;                                      -- some listing held it
  isDiskSaved: boolean;
  isDiskBack: boolean;
  savedView: array [Device] of Listing;
  savedOpen: boolean;
  savedPin: Roots;

-- Membership.

function stores(d: Device): boolean; begin return d >= 2 & d <= LAST_HOLDER; end;

-- 0: no member; else the number of its incarnation.
function incarnation(d: Device; e: Epoch): 0 .. 2; begin
  if CHAIN_IS_CLOSED & d = 1 & e = 1 then return 0; end;
  if d != 0 then return 1; end;
  if LAPTOP_JOINS & e = 0 then return 0; end;
  if LAPTOP_RETURNS & e = 1 then return 0; end;
  if LAPTOP_RETURNS & e = 2 then return 2; end;
  return 1;
end;

function isMember(d: Device; k: Device): boolean; begin
  if LOG_FORKS & d = 0 then return epoch[k] > 0 & !branch[k]; end;
  return incarnation(d, epoch[k]) != 0;
end;

function mayLean(w: Device; k: Device): boolean; begin
  return w <= 1 & isMember(w, k) & !(LEAN_ENDS & w = 0 & epoch[k] > 0) & (w = 0 | DESKTOP_LEANS);
end;

-- Whose roots may refer to chunks of others.
function mayHaveLeaned(w: Device; k: Device): boolean; begin
  return mayLean(w, k) | (R6_FORMER & w = 0 & isMember(w, k));
end;

-- R8.2: what is beyond the end of a chain that was closed.
function isBeyondCut(k: Device; r: Root): boolean; begin return CHAIN_IS_CLOSED & epoch[k] > 0 & !cut[r]; end;

-- R2: whether a forget of the desktop is in force.
function isInForce(k: Device; r: Root): boolean; begin
  return !(FORGET_IS_CUT & epoch[k] > 0) & !isBeyondCut(k, r);
end;

-- What a device knows.

function isNamed(d: Device; r: Root): boolean; begin return view[d][1].forgets[r]; end;
function isUndone(d: Device; r: Root): boolean; begin return UNDO & r = 0 & view[d][2].adds[0]; end;
function isDead(d: Device; r: Root): boolean; begin return isNamed(d, r) & isInForce(d, r) & !isUndone(d, r); end;
function isLive(d: Device; r: Root): boolean; begin
  return !isDead(d, r) & (oldAdds[d][r] | exists o: Device do view[d][o].adds[r] end);
end;

-- R5.
function mayLeanOn(w: Writer; h: Device; r: Root): boolean; begin
  return h != w & stores(h) & view[w][h].holds[r]
    & (oldAdds[w][r] | exists o: Device do view[w][o].adds[r] end)
    & (!R5_LIVE | !isDead(w, r))
    & (!R5_UNNAMED | !R5_LIVE | !isNamed(w, r))
    & (!R5_NOT_SHEDDING | r != 0 | view[w][h].shedding = 0)
    & (R5_EPOCH < 2 | view[w][h].epoch >= epoch[w])
    & (R5_EPOCH != 1 | !(LAPTOP_JOINS | LAPTOP_RETURNS | LOG_FORKS) | w != 0 | view[w][h].epoch >= EPOCHS)
    & (!R8_FREEZE | !knowsFork[w]);
end;

-- R6b for one writer.
function covers(q: Device; w: Writer; r: Root): boolean; begin
  if !R6_HORIZON then return true; end;
  if !R6_FIRST_HAND & view[1][w].horizon[r] then return true; end;
  -- What cannot be compared covers nothing.
  if CHAIN_IS_CLOSED then
    if exists u: Root do view[q][w].horizon[u] & !isNamed(q, u) end then return false; end;
  end;
  return view[q][w].horizon[r]
    & incarnation(w, view[q][w].epoch) = incarnation(w, epoch[q]);
end;

-- R6c: a live root that is not complete here, that its owner may not be able to supply, and that nobody holds.
function isUnknown(q: Device; r: Root): boolean; begin
  return isLive(q, r) & !view[q][q].holds[r]
    & (exists w: Writer do view[q][w].adds[r] & mayHaveLeaned(w, q) end)
    & !exists h: Holder do h != q & view[q][h].holds[r] & !(r = 0 & view[q][h].shedding > 0) end;
end;

function mayWithdraw(q: Device; r: Root): boolean; begin
  return isDead(q, r)
    & (forall w: Writer do !mayLean(w, q) | covers(q, w, r) end)
    & (!(LEAN_ENDS & R6_FORMER) | epoch[q] = 0 | forall u: Root do cut[u] -> view[q][0].adds[u] end)
    & (!R6_UNKNOWN | !exists u: Root do isUnknown(q, u) end)
    & (!R8_FREEZE_RECLAIM | !knowsFork[q]);
end;

-- R7: holders whose listing counts for letting root 0 go.
function isCounted(q: Device; h: Device): boolean; begin
  return h != q & view[q][h].holds[0]
    & (!R7_NOT_SHEDDING | view[q][h].shedding = 0)
    & (R7_SIGHT < 2 | view[q][h].saw[q] >= view[q][q].shedding)
    & (R7_SIGHT != 1 | view[q][h].saw[q] >= 1)
    & (!R7_EPOCH | view[q][h].epoch >= epoch[q]);
end;

function counted(q: Device): 0 .. 9; var n: 0 .. 9; begin
  n := 0;
  for h: Holder do if isCounted(q, h) then n := n + 1; end; end;
  return n;
end;

-- What has to hold.

-- Forgotten by the desktop, ever. Nobody can be blamed for acting on it.
function isForgotten(r: Root): boolean; begin return view[1][1].forgets[r] & !isUndone(2, r); end;

-- S2 is promised to present members; to who lost `lean`, for what it had announced by the cut.
function isPromised(r: Root): boolean; begin
  if isForgotten(r) then return false; end;
  if view[1][1].adds[r] then return true; end;
  if PHONE <= LAST then if view[LAST][LAST].adds[r] then return true; end; end;
  if LOG_FORKS then return view[0][0].adds[r]; end;
  if LEAN_ENDS & newest > 0 then return cut[r]; end;
  return view[0][0].adds[r] & !(isDiskBack & R11_ANEW) & incarnation(0, newest) != 0
    & incarnation(0, epoch[0]) = incarnation(0, newest);
end;

function isSomewhere(): boolean; begin return exists d: Device do hasChunk[d] end; end;

-- What devices do.

-- R4: every listing says the newest horizon that the open sessions allow.
procedure sign(d: Device); var isPinned: boolean; begin
  view[d][d].epoch := epoch[d];
  view[d][d].branch := branch[d];
  if d = 0 | d = 1 & DESKTOP_LEANS then
    for r: Root do
      isPinned := false;
      if R4_PIN then for s: Slot do
        if isOpen[d][s] & !pin[d][s][r] then isPinned := true; end;
      end; end;
      view[d][d].horizon[r] := isNamed(d, r) & !isPinned & !(R4_CUT & isBeyondCut(d, r));
    end;
  end;
  if ROUNDS > 0 then if stores(d) then for h: Holder do
    if h != d then view[d][d].saw[h] := view[d][h].shedding; end;
  end; end; end;
end;

procedure closeSession(w: Writer; s: Slot); begin
  isOpen[w][s] := false;
  clear pin[w][s];
  if !R4_ALL_PINS then for t: Slot do
    if isOpen[w][t] then for r: Root do pin[w][t][r] := true; end; end;
  end; end;
end;

procedure publish(w: Writer); begin
  view[w][w].adds[published] := true;
  published := published + 1;
end;

-- R4: a horizon goes on, but back to the cut.
function isOnward(q: Device; d: Device): boolean; begin
  return !CHAIN_IS_CLOSED | forall r: Root do
    view[q][d].horizon[r] -> view[d][d].horizon[r] | R4_BACK & view[d][d].epoch > 0 & !cut[r] end;
end;

-- R1, R8: read a listing. What it leaves out stays known (R2). What no rule ever asks of the reader is left out of the
-- state, so that there are fewer of them.
procedure accept(q: Device; d: Device); var adds: Roots; begin
  adds := view[q][d].adds;
  view[q][d] := view[d][d];
  for r: Root do if adds[r] then view[q][d].adds[r] := true; end; end;
  if !stores(q) then
    clear view[q][d].saw;
    if R6_FIRST_HAND then clear view[q][d].horizon; end;
    if stores(d) & (q = PHONE | q = 1 & !DESKTOP_LEANS) then
      view[q][d].shedding := 0;
      view[q][d].epoch := 0;
      view[q][d].branch := false;
      if q = 1 then clear view[q][d].holds; end;
    end;
  end;
  if d <= 1 & !(LAPTOP_RETURNS & d = 0) then view[q][d].epoch := 0; view[q][d].branch := false; end;
  if LOG_FORKS & view[d][d].epoch > 0 & view[d][d].branch != branch[q] then knowsFork[q] := true; end;
  if LOG_FORKS & knowsFork[d] then knowsFork[q] := true; end;
end;

startstate "r0 is held" begin
  clear view; clear isOpen; clear pin; clear isShipping; clear hasChunk; clear rounds; clear epoch; clear branch;
  clear knowsFork; clear oldAdds; clear cut; clear wasHeld; clear savedView; clear savedPin;
  newest := 0; published := 1; isDiskSaved := false; isDiskBack := false; savedOpen := false;
  wasHeld[0] := true;
  for q: Device do
    if !(q = 0 & (LAPTOP_JOINS | LOG_FORKS)) then
      view[q][1].adds[0] := true;
      for h: Holder do view[q][h].holds[0] := q != 1 | DESKTOP_LEANS; end;
    end;
  end;
  view[1][1].adds[0] := true;
  for h: Holder do view[h][h].holds[0] := true; hasChunk[h] := true; end;
  if INTENT_IS_SEEN then
    rounds[LAST_HOLDER] := 1;
    view[LAST_HOLDER][LAST_HOLDER].shedding := 1;
    view[2][LAST_HOLDER].shedding := 1;
    view[2][2].saw[LAST_HOLDER] := 1;
    view[LAST_HOLDER][2].saw[LAST_HOLDER] := 1;
  end;
  if LOG_HAS_FORKED then
    newest := 1;
    for d: Device do if d != 1 then
      epoch[d] := 1;
      branch[d] := d = 2;
      view[d][d].epoch := 1;
      view[d][d].branch := d = 2;
    end; end;
  end;
end;

ruleset q: Device; d: Device do
  rule "reads" q != d & !(ONLY_ROOT_0 & q = 1) & !(LAPTOP_IS_MUTE & d = 0) & view[d][d].epoch <= epoch[q] & (!LOG_FORKS | isMember(q, q))
    & incarnation(d, view[d][d].epoch) = incarnation(d, epoch[q]) & isOnward(q, d) ==> begin accept(q, d); end;
end;

-- R8.2: up to the cut the chain of who was removed is read still.
ruleset q: Device do
  rule "reads up to the cut" CHAIN_IS_CLOSED & q != 1 & epoch[q] > 0
    & exists r: Root do cut[r] & !view[q][1].forgets[r] end ==> begin
    for r: Root do if cut[r] then view[q][1].forgets[r] := true; end; end;
  end;
end;

ruleset w: Writer; s: Slot do
  rule "opens" !(LAPTOP_IS_MUTE & w = 0) & (s = 0 | w = 0 & SESSIONS = 2)
    & !isOpen[w][s] & published < ROOTS & !isShipping[w] & mayLean(w, w)
    & (exists h: Holder do exists r: Root do mayLeanOn(w, h, r) end end)
  ==> begin
    isOpen[w][s] := true;
    for r: Root do pin[w][s][r] := isNamed(w, r); end;
  end;

  rule "commits" R4_TOGETHER & isOpen[w][s] & published < ROOTS & isMember(w, w) ==> begin
    closeSession(w, s);
    sign(w);
    publish(w);
  end;

  rule "closes before it ships" !R4_TOGETHER & isOpen[w][s] & isMember(w, w) & !isShipping[w] ==> begin
    closeSession(w, s);
    sign(w);
    isShipping[w] := true;
  end;

  rule "aborts" isOpen[w][s] ==> begin closeSession(w, s); end;
end;

ruleset w: Writer do
  rule "ships" isShipping[w] & published < ROOTS ==> begin isShipping[w] := false; sign(w); publish(w); end;
end;

ruleset d: Device do
  rule "signs" !(LAPTOP_IS_MUTE & d = 0) & d != PHONE & isMember(d, d) ==> begin sign(d); end;
end;

ruleset r: Root do
  rule "forgets" isInForce(1, r) & isMember(1, 1) & isLive(1, r) & (!ONLY_ROOT_0 | r = 0) ==> begin
    view[1][1].forgets[r] := true;
    view[1][1].epoch := epoch[1];
    if !R4_OWN_ENTRY then view[1][1].horizon[r] := true; end;
  end;
end;

ruleset q: Holder; r: Root do
  -- R3: with the whole closure; what is missing is fetched, from whoever has it.
  rule "holds" isLive(q, r) & !view[q][q].holds[r] & (hasChunk[q] | isSomewhere()) ==> begin
    hasChunk[q] := true;
    view[q][q].holds[r] := true;
    wasHeld[r] := true;
    sign(q);
  end;

  -- R10: the listing goes out without the root before anything is removed.
  rule "withdraws" view[q][q].holds[r] & mayWithdraw(q, r) ==> begin
    view[q][q].holds[r] := false;
    if r = 0 then view[q][q].shedding := 0; end;
    sign(q);
  end;
end;

ruleset q: Holder do
  rule "reclaims" hasChunk[q]
    & (R3_OWN_HOLDS & (forall r: Root do !view[q][q].holds[r] end)
      | !R3_OWN_HOLDS & (forall r: Root do !isLive(q, r) & (isNamed(q, r) -> mayWithdraw(q, r)) end))
  ==> begin hasChunk[q] := false; clear view[q][q].holds; end;

  rule "intends to shed" ROUNDS > 0 & (!ONE_SHEDS | q = LAST_HOLDER) & view[q][q].holds[0] & isLive(q, 0)
    & view[q][q].shedding = 0 & rounds[q] < ROUNDS ==> begin
    rounds[q] := rounds[q] + 1;
    if R7_INTENT then view[q][q].shedding := rounds[q]; end;
    sign(q);
  end;

  rule "stops shedding" view[q][q].shedding > 0 ==> begin view[q][q].shedding := 0; sign(q); end;

  rule "sheds" ROUNDS > 0 & rounds[q] > 0 & view[q][q].holds[0] & (!R7_INTENT | view[q][q].shedding > 0)
    & (!R7_UNKNOWN | !exists u: Root do isUnknown(q, u) end) & (!R8_FREEZE_SHED | !knowsFork[q])
    & (isLive(q, 0) & counted(q) >= GOAL | !R7_LIVE & !isLive(q, 0)) ==> begin
    view[q][q].holds[0] := false;
    view[q][q].shedding := 0;
    if !R7_ALL_ROOTS then hasChunk[q] := false; end;
    sign(q);
  end;

  rule "announces anew" UNDO & q = 2 & isDead(q, 0) & (!UNDO_HELD | view[q][q].holds[0]) ==> begin
    view[q][q].adds[0] := true;
    sign(q);
  end;

  rule "loses its database" DATABASE_IS_LOST ==> begin
    for d: Device do if d != q then clear view[q][d]; end; end;
  end;
end;

-- The writer that does not lean: what it publishes it has, until it sees it held elsewhere.
rule "phone publishes" PHONE <= LAST & published < ROOTS & !exists r: Root do view[LAST][LAST].adds[r] end ==> begin
  hasChunk[LAST] := true;
  view[LAST][LAST].adds[published] := true;
  published := published + 1;
end;

rule "phone lets go" PHONE <= LAST & hasChunk[LAST] & (forall r: Root do
    view[LAST][LAST].adds[r] -> exists h: Holder do view[LAST][h].holds[r] end end)
  ==> begin hasChunk[LAST] := false; end;

-- The membership log, on its own way between devices.
rule "a keeper signs an entry" newest < EPOCHS ==> begin
  newest := newest + 1;
  if LEAN_ENDS then cut := view[1][0].adds; end;
  if CHAIN_IS_CLOSED then cut := view[2][1].forgets; end;
end;

ruleset d: Device do
  rule "learns the membership" epoch[d] < newest ==> begin
    epoch[d] := epoch[d] + 1;
    -- The chain of the old incarnation is closed; that of the new one begins empty.
    if LAPTOP_RETURNS & incarnation(0, epoch[d]) = 2 then
      oldAdds[d] := view[d][0].adds;
      clear view[d][0].adds;
      if d != 0 | R8_FLUSH then clear view[d][0]; end;
      if d = 0 then
        view[0][0].epoch := epoch[0];
        if R8_FLUSH then clear isOpen[0]; clear pin[0]; end;
      end;
    end;
  end;

  -- Another keeper signed another entry of the same number.
  rule "learns the other branch" LOG_FORKS & d != 0 & epoch[d] = 0 & newest = 1 ==> begin
    epoch[d] := 1;
    branch[d] := true;
  end;
end;

rule "the disk is saved" DISK_GOES_BACK & !isDiskSaved ==> begin
  isDiskSaved := true; savedView := view[0]; savedOpen := isOpen[0][0]; savedPin := pin[0][0];
end;

rule "the disk goes back" DISK_GOES_BACK & isDiskSaved & !isDiskBack ==> begin
  isDiskBack := true; view[0] := savedView; isOpen[0][0] := savedOpen; pin[0][0] := savedPin;
  clear savedView; savedOpen := false; clear savedPin;
end;

invariant "I1: who holds a root has all of it"
  forall h: Holder do forall r: Root do view[h][h].holds[r] -> hasChunk[h] end end;

invariant "I4: no horizon goes beyond an open session"
  R4_PIN & R4_ALL_PINS & R4_OWN_ENTRY & R8_FLUSH & !isDiskBack ->
    forall w: Writer do forall s: Slot do forall r: Root do
      isOpen[w][s] & view[w][w].horizon[r] -> pin[w][s][r] end end end;

invariant "S1: a held root that nobody forgot is not lost"
  isSomewhere() | forall r: Root do wasHeld[r] -> isForgotten(r) end;

invariant "S2: a published root can be completed"
  isSomewhere() | forall r: Root do !isPromised(r) end;

-- Without these the invariants would hold for want of anything that happens.
cover "everything is reclaimed" forall h: Holder do !hasChunk[h] end;
cover "somebody publishes by leaning" published > 1;
cover "root 0 is let go where it lives"
  ROUNDS = 0 | exists h: Holder do wasHeld[0] & !view[h][h].holds[0] & !isForgotten(0) end;
