-- A product that is going cannot be suspended, which would keep it from going; one that is suspended already can be resumed.
local spec = obj.spec or {}
local going = obj.metadata ~= nil and obj.metadata.deletionTimestamp ~= nil
local suspended = spec.suspend == true

return {
  refresh = {disabled = false, iconClass = "fa fa-fw fa-sync", displayName = "Refresh"},
  suspend = {disabled = going or suspended, iconClass = "fa fa-fw fa-pause", displayName = "Suspend"},
  resume = {disabled = not suspended, iconClass = "fa fa-fw fa-play", displayName = "Resume"},
}
