-- How an exception is. One that waits for its approval waits for a person on purpose; one that was denied or refused, or that has
-- ended, has no effect, and whoever keeps it must change or remove it.
local metadata = obj.metadata or {}
local status = obj.status or {}

if status.observedGeneration == nil or status.observedGeneration < 0 then
  return {status = "Progressing", message = "The operator has not seen it yet"}
end
if metadata.generation ~= nil and status.observedGeneration ~= metadata.generation then
  return {status = "Progressing", message = "The operator has not seen the last change yet"}
end

local verdicts = {
  Pending = "Suspended",
  Active = "Healthy",
  Denied = "Degraded",
  Expired = "Degraded",
  Refused = "Degraded",
}
return {status = verdicts[status.state] or "Progressing", message = status.message or ""}
