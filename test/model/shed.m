-- R7 by itself, for rumur: as shed.pml, but holders are alike, so that states that differ in their names only are one.
-- That makes room for more holders and rounds.

const
  HOLDERS: 3;
  GOAL: 1;
  ROUNDS: 2;

  R7_INTENT: true;         -- shedding is announced
  R7_SIGHT: 2;             -- the others saw: 2 the intent of this round, 1 of any, 0 nothing
  R7_NOT_SHEDDING: true;   -- who sheds too does not count

type
  Holder: scalarset(HOLDERS);
  Round: 0 .. ROUNDS;
  Listing: record
    holds: boolean;
    shedding: Round;                 -- the round, 0 when it is not
    saw: array [Holder] of Round;    -- newest intent of each that its horizon covers
  end;

var
  view: array [Holder] of array [Holder] of Listing;   -- view[h][h] is what h has signed
  rounds: array [Holder] of Round;

function isCounted(q: Holder; h: Holder): boolean; begin
  return h != q & view[q][h].holds
    & (!R7_NOT_SHEDDING | view[q][h].shedding = 0)
    & (R7_SIGHT < 2 | view[q][h].saw[q] >= view[q][q].shedding)
    & (R7_SIGHT != 1 | view[q][h].saw[q] >= 1);
end;

function counted(q: Holder): 0 .. HOLDERS; var n: 0 .. HOLDERS; begin
  n := 0;
  for h: Holder do if isCounted(q, h) then n := n + 1; end; end;
  return n;
end;

function copies(): 0 .. HOLDERS; var n: 0 .. HOLDERS; begin
  n := 0;
  for h: Holder do if view[h][h].holds then n := n + 1; end; end;
  return n;
end;

startstate "all hold it" begin
  clear view; clear rounds;
  for q: Holder do for h: Holder do view[q][h].holds := true; end; end;
end;

ruleset q: Holder; h: Holder do
  -- What is read stands in the reader's listing at once: the earliest moment for it to be evidence.
  rule "reads" q != h ==> begin
    view[q][h].holds := view[h][h].holds;
    view[q][h].shedding := view[h][h].shedding;
    view[q][h].saw[q] := view[h][h].saw[q];
    if view[h][h].shedding > 0 then view[q][q].saw[h] := view[h][h].shedding; end;
  end;
end;

ruleset q: Holder do
  rule "intends to shed" view[q][q].holds & view[q][q].shedding = 0 & rounds[q] < ROUNDS ==> begin
    rounds[q] := rounds[q] + 1;
    if R7_INTENT then view[q][q].shedding := rounds[q]; end;
  end;

  rule "stops shedding" view[q][q].shedding > 0 ==> begin view[q][q].shedding := 0; end;

  rule "sheds" view[q][q].holds & rounds[q] > 0 & (!R7_INTENT | view[q][q].shedding > 0) & counted(q) >= GOAL ==> begin
    view[q][q].holds := false;
    view[q][q].shedding := 0;
  end;

  rule "fetches it again" !view[q][q].holds & copies() > 0 ==> begin view[q][q].holds := true; end;
end;

invariant "I2: shedding leaves as many copies as the goal wants" copies() >= GOAL;
