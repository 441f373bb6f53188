-- How a DataProduct is. Stalled means that somebody must act, Reconciling that the operator works on it, Ready that it is done;
-- Stalled and Reconciling are present only while they are true, and never both.
local metadata = obj.metadata or {}
local spec = obj.spec or {}
local status = obj.status or {}

if status.observedGeneration == nil or status.observedGeneration < 0 then
  return {status = "Progressing", message = "The operator has not seen it yet"}
end
if metadata.generation ~= nil and status.observedGeneration ~= metadata.generation then
  return {status = "Progressing", message = "The operator has not seen the last change yet"}
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, stalled, reconciling = conditions["Ready"], conditions["Stalled"], conditions["Reconciling"]

if stalled ~= nil and stalled.status == "True" then
  -- What waits for a person who was asked on purpose is not broken.
  if stalled.reason == "Suspended" or stalled.reason == "AwaitingApproval" then
    return {status = "Suspended", message = stalled.message}
  end
  return {status = "Degraded", message = stalled.message}
end
if reconciling ~= nil and reconciling.status == "True" then
  return {status = "Progressing", message = reconciling.message}
end
if metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "It is being deleted"}
end
if ready == nil or ready.status ~= "True" then
  return {status = "Progressing", message = ready ~= nil and ready.message or "The operator has not said yet how it is"}
end
if spec.suspend == true then
  return {status = "Suspended", message = "spec.suspend is true: nothing is changed outside until it is false"}
end
return {status = "Healthy", message = ready.message}
