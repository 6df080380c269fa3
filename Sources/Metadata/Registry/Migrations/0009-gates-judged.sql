-- What a gate held against its bound, where that is not the value: the upper end of the interval of `ece`.
ALTER TABLE run_gates ADD COLUMN judged DOUBLE PRECISION;
