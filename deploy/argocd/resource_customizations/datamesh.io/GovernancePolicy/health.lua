-- How a policy is: whether its rules can be evaluated. Products that break it are told on the products.
local metadata = obj.metadata or {}
local status = obj.status or {}

if status.observedGeneration == nil or status.observedGeneration < 0 then
  return {status = "Progressing", message = "The operator has not seen it yet"}
end
if metadata.generation ~= nil and status.observedGeneration ~= metadata.generation then
  return {status = "Progressing", message = "The operator has not seen the last change yet"}
end

local faults = status.faults or 0
if faults > 0 then
  local message = faults == 1 and "1 rule cannot be evaluated" or faults .. " rules cannot be evaluated"
  local first = (status.errors or {})[1]
  if first ~= nil then
    message = message .. ": " .. first.rule .. ": " .. first.message
  end
  return {status = "Degraded", message = message}
end
return {
  status = "Healthy",
  message = "It judges " .. (status.evaluated or 0) .. " products, and " .. (status.failing or 0) .. " break it",
}
