-- Deletion over chains of listings: numbers and hashes, listings that come late and by others, a forgetter whose chain
-- forks (R1, R4 to R6). A companion of deletion.m, with the names it has: there a device reads the newest listing of
-- another, here any that was ever signed may come at any time, also one that is old by then.
--
-- One chunk; every root contains it. Root 0 is announced by the forgetter before all else.
--   forgetter: a device with `forget` that does not lean. Dishonest, or run from two copies of one disk, it forks.
--   writers: alike; they lean
--   holders: alike; each has its own store

const
  WRITERS: 1;
  HOLDERS: 1;
  ROOTS: 2;
  FORGETTER_SEQ: 2;        -- last listing of a branch
  WRITER_SEQ: 3;
  HOLDER_SEQ: 3;
  FORKS: true;             -- the forgetter's chain may fork, once

  R1_VOID: true;           -- what was forgotten after the last shared listing is void
  R4_PIN: true;
  R5_UNNAMED: true;        -- nobody leans on a root that a forget ever seen names, in force or not
  R5_LIVE: true;
  R6_HASH: true;           -- horizons say (seq, hash), not seq alone
  R6_KNOWN: true;          -- a hash that cannot be compared covers nothing
  R6_FORK: true;           -- R6c: a fork stops reclaiming where it is known

type
  Writer: scalarset(WRITERS);
  Holder: scalarset(HOLDERS);
  Root: 0 .. ROOTS - 1;
  Roots: array [Root] of boolean;
  Branch: 0 .. 1;
  ForgetterSeq: 0 .. FORGETTER_SEQ;
  WriterSeq: 0 .. WRITER_SEQ;
  HolderSeq: 0 .. HOLDER_SEQ;
  Place: record seq: ForgetterSeq; branch: Branch; end;   -- a listing of the forgetter: the branch stands for the hash
  Lane: record newest: Place; isForked: boolean; end;     -- what a device knows of the forgetter
  WriterListing: record adds: Roots; horizon: Place; end;
  HolderListing: record holds: Roots; end;

var
  -- Everything ever signed.
  forgets: array [Branch] of array [ForgetterSeq] of Roots;
  lastForgets: array [Branch] of ForgetterSeq;
  hasForked: boolean;
  shared: ForgetterSeq;                                    -- last listing that both branches have
  writerLog: array [Writer] of array [WriterSeq] of WriterListing;
  lastOfWriter: array [Writer] of WriterSeq;
  holderLog: array [Holder] of array [HolderSeq] of HolderListing;
  lastOfHolder: array [Holder] of HolderSeq;

  -- What each knows.
  laneOfWriter: array [Writer] of Lane;
  laneOfHolder: array [Holder] of Lane;
  holderSeen: array [Writer] of array [Holder] of HolderSeq;
  writerSeen: array [Holder] of array [Writer] of WriterSeq;

  isOpen: array [Writer] of boolean;
  pin: array [Writer] of Place;
  hasChunk: array [Holder] of boolean;
  published: 0 .. ROOTS;
  wasHeld: Roots;

-- A listing both branches have is one listing.
function isBeyond(seq: ForgetterSeq): boolean; begin return hasForked & seq > shared; end;

-- Whether two places are on one branch.
function isSameBranch(a: Place; b: Place): boolean; begin
  return !isBeyond(a.seq) | !isBeyond(b.seq) | a.branch = b.branch;
end;

-- The forget of a root, in force or not, in the branch that a lane follows.
function isNamed(lane: Lane; r: Root): boolean; begin return forgets[lane.newest.branch][lane.newest.seq][r]; end;

-- The number of the listing that first forgot it; of the newest when none did.
function forgotAt(lane: Lane; r: Root): ForgetterSeq; var at: ForgetterSeq; begin
  at := lane.newest.seq;
  while at > 0 & forgets[lane.newest.branch][at - 1][r] do at := at - 1; end;
  return at;
end;

function isDead(lane: Lane; r: Root): boolean; begin
  return isNamed(lane, r) & !(R1_VOID & lane.isForked & forgotAt(lane, r) > shared);
end;

function isAdded(h: Holder; r: Root): boolean; begin
  return r = 0 | exists w: Writer do writerLog[w][writerSeen[h][w]].adds[r] end;
end;

-- R6b: the writer's own listing takes account of a listing of the forgetter, as the holder knows the chain.
function covers(h: Holder; w: Writer; at: ForgetterSeq): boolean; var said: Place; begin
  said := writerLog[w][writerSeen[h][w]].horizon;
  if said.seq < at then return false; end;
  if said.seq > laneOfHolder[h].newest.seq then return !R6_KNOWN; end;
  return !R6_HASH | isSameBranch(said, laneOfHolder[h].newest);
end;

function isUnknown(h: Holder; r: Root): boolean; begin
  return r != 0 & isAdded(h, r) & !isDead(laneOfHolder[h], r) & !holderLog[h][lastOfHolder[h]].holds[r];
end;

function isSomewhere(): boolean; begin return exists h: Holder do hasChunk[h] end; end;

-- Forgotten on any branch: nobody can be blamed for acting on it before the fork was known.
function isForgotten(r: Root): boolean; begin
  return exists b: Branch do forgets[b][lastForgets[b]][r] end;
end;

-- R4: the earlier of the view and the pin.
function horizonOf(w: Writer): Place; begin
  if R4_PIN & isOpen[w] & pin[w].seq < laneOfWriter[w].newest.seq then return pin[w]; end;
  return laneOfWriter[w].newest;
end;

procedure signWriter(w: Writer); var next: WriterListing; begin
  next := writerLog[w][lastOfWriter[w]];
  next.horizon := horizonOf(w);
  lastOfWriter[w] := lastOfWriter[w] + 1;
  writerLog[w][lastOfWriter[w]] := next;
end;

-- R1: a listing of the forgetter is offered.
procedure accept(var lane: Lane; seq: ForgetterSeq; branch: Branch); begin
  if isBeyond(seq) & isBeyond(lane.newest.seq) & branch != lane.newest.branch then
    lane.isForked := true;
  elsif seq > lane.newest.seq then
    lane.newest.seq := seq;
    lane.newest.branch := branch;
  end;
end;

startstate "root 0 is held" begin
  clear forgets; clear lastForgets; clear writerLog; clear lastOfWriter; clear holderLog; clear lastOfHolder;
  clear laneOfWriter; clear laneOfHolder; clear holderSeen; clear writerSeen; clear isOpen; clear pin; clear wasHeld;
  hasForked := false; shared := 0; published := 1; wasHeld[0] := true;
  for h: Holder do hasChunk[h] := true; holderLog[h][0].holds[0] := true; end;
end;

ruleset b: Branch do
  -- Also a listing that forgets nothing: on one branch the same number may mean something else.
  rule "the forgetter signs" (b = 0 | hasForked) & lastForgets[b] < FORGETTER_SEQ ==> begin
    forgets[b][lastForgets[b] + 1] := forgets[b][lastForgets[b]];
    lastForgets[b] := lastForgets[b] + 1;
  end;
  ruleset r: Root do
    rule "the forgetter forgets" (b = 0 | hasForked) & lastForgets[b] < FORGETTER_SEQ & r < published
      & !forgets[b][lastForgets[b]][r] ==> begin
      forgets[b][lastForgets[b] + 1] := forgets[b][lastForgets[b]];
      lastForgets[b] := lastForgets[b] + 1;
      forgets[b][lastForgets[b]][r] := true;
    end;
  end;
end;

ruleset s: ForgetterSeq do
  rule "the forgetter's chain forks" FORKS & !hasForked & s < lastForgets[0] ==> begin
    hasForked := true;
    shared := s;
    lastForgets[1] := s;
    for k: ForgetterSeq do if k <= s then forgets[1][k] := forgets[0][k]; end; end;
  end;
end;

ruleset b: Branch; s: ForgetterSeq do
  ruleset w: Writer do
    rule "reads the forgetter" s <= lastForgets[b] & (b = 0 | isBeyond(s))
      & (s > laneOfWriter[w].newest.seq | isBeyond(s)) ==> begin accept(laneOfWriter[w], s, b); end;
  end;
  ruleset h: Holder do
    rule "reads the forgetter" s <= lastForgets[b] & (b = 0 | isBeyond(s))
      & (s > laneOfHolder[h].newest.seq | isBeyond(s)) ==> begin accept(laneOfHolder[h], s, b); end;
  end;
end;

ruleset w: Writer; h: Holder do
  ruleset s: HolderSeq do
    rule "reads" s <= lastOfHolder[h] & s > holderSeen[w][h] ==> begin holderSeen[w][h] := s; end;
  end;
  ruleset s: WriterSeq do
    rule "is read by" s <= lastOfWriter[w] & s > writerSeen[h][w] ==> begin writerSeen[h][w] := s; end;
  end;
end;

ruleset w: Writer do
  rule "opens" !isOpen[w] & published < ROOTS & lastOfWriter[w] < WRITER_SEQ
    & exists h: Holder do exists r: Root do
        holderLog[h][holderSeen[w][h]].holds[r]
        & (r = 0 | writerLog[w][lastOfWriter[w]].adds[r])
        & (!R5_LIVE | !isDead(laneOfWriter[w], r))
        & (!R5_UNNAMED | !isNamed(laneOfWriter[w], r))
      end end
  ==> begin
    isOpen[w] := true;
    pin[w] := laneOfWriter[w].newest;
  end;

  rule "commits" isOpen[w] & published < ROOTS & lastOfWriter[w] < WRITER_SEQ ==> begin
    isOpen[w] := false;
    clear pin[w];
    signWriter(w);
    writerLog[w][lastOfWriter[w]].adds[published] := true;
    published := published + 1;
  end;

  rule "aborts" isOpen[w] ==> begin isOpen[w] := false; clear pin[w]; end;

  rule "signs" lastOfWriter[w] < WRITER_SEQ & writerLog[w][lastOfWriter[w]].horizon.seq < laneOfWriter[w].newest.seq
  ==> begin signWriter(w); end;
end;

ruleset h: Holder; r: Root do
  rule "holds" lastOfHolder[h] < HOLDER_SEQ & !holderLog[h][lastOfHolder[h]].holds[r] & isAdded(h, r)
    & !isDead(laneOfHolder[h], r) & isSomewhere()
  ==> begin
    lastOfHolder[h] := lastOfHolder[h] + 1;
    holderLog[h][lastOfHolder[h]] := holderLog[h][lastOfHolder[h] - 1];
    holderLog[h][lastOfHolder[h]].holds[r] := true;
    hasChunk[h] := true;
    wasHeld[r] := true;
  end;

  rule "withdraws" lastOfHolder[h] < HOLDER_SEQ & holderLog[h][lastOfHolder[h]].holds[r] & isDead(laneOfHolder[h], r)
    & (forall w: Writer do covers(h, w, forgotAt(laneOfHolder[h], r)) end)
    & (!R6_FORK | !laneOfHolder[h].isForked)
    & !exists u: Root do isUnknown(h, u) end
  ==> begin
    lastOfHolder[h] := lastOfHolder[h] + 1;
    holderLog[h][lastOfHolder[h]] := holderLog[h][lastOfHolder[h] - 1];
    holderLog[h][lastOfHolder[h]].holds[r] := false;
  end;
end;

ruleset h: Holder do
  rule "reclaims" hasChunk[h] & (forall r: Root do !holderLog[h][lastOfHolder[h]].holds[r] end) ==> begin
    hasChunk[h] := false;
  end;
end;

invariant "I1: who holds a root has all of it"
  forall h: Holder do forall r: Root do holderLog[h][lastOfHolder[h]].holds[r] -> hasChunk[h] end end;

invariant "I4: no horizon goes beyond an open session"
  R4_PIN -> forall w: Writer do isOpen[w] -> writerLog[w][lastOfWriter[w]].horizon.seq <= pin[w].seq end;

invariant "S1: a held root that nobody forgot is not lost"
  isSomewhere() | forall r: Root do wasHeld[r] -> isForgotten(r) end;

invariant "S2: a published root can be completed"
  isSomewhere() | forall w: Writer do forall r: Root do
    writerLog[w][lastOfWriter[w]].adds[r] -> isForgotten(r) end end;

-- Without these the invariants would hold for want of anything that happens.
cover "everything is reclaimed" !isSomewhere();
cover "somebody publishes by leaning" published > 1;
