-- The quantile sketch: one numeric holds a whole latency histogram.
--
-- Slot k of log-latency is the 12-digit decimal field 10^(12k), so a request adds 10^(12k) and plain
-- sum() merges sketches at every level. 320 slots of ratio 1.05 from 0.1 ms to 603 s (slot 0 below,
-- 321 above) give a relative error of at most (1.05 - 1) / (1.05 + 1) = 2.44 %. These constants are
-- part of the stored data and stand again, for decoding, in sql/sketch.py only.

create function latency_sketch(latency_ms double precision) returns numeric
language sql immutable parallel safe
return ('1e' || (12 * width_bucket(
    ln(latency_ms + 1e-9), -2.302585092994046, 13.310267242, 320
))::text)::numeric;

comment on function latency_sketch is 'One request as a sketch: 10^(12 * slot); NULL without a latency.';
