-- Bought at least twice, and then not for thirty days.
SELECT user_id
FROM events
WHERE type = 'purchase'
GROUP BY user_id
HAVING count(*) >= 2 AND max(time_ms) <= $as_of_ms - 2592000000  -- 30 days in ms
