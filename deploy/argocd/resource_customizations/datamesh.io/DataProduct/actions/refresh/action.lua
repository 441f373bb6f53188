-- Any new value of the annotation asks for a visit now; the status echoes it in lastHandledReconcileAt.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["datamesh.io/reconcile-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
