{{/* Settings that cannot be true together, each with what to do. */}}
{{- define "dataproduct.contradictions" -}}
{{- $values := .Values -}}
{{- $replicas := int $values.replicaCount -}}
{{- if and (gt $replicas 1) (not $values.leaderElection.enabled) -}}
{{- fail (printf "replicaCount is %d and leaderElection.enabled is false: every pod would visit every product. Set leaderElection.enabled=true, or replicaCount=1." $replicas) -}}
{{- end -}}
{{- with $values.podDisruptionBudget -}}
{{- if and .enabled (lt $replicas 2) -}}
{{- fail (printf "podDisruptionBudget.enabled is true and replicaCount is %d: a budget for a single pod either blocks every drain of its node or does nothing. Set replicaCount=2 or more, or podDisruptionBudget.enabled=false." $replicas) -}}
{{- end -}}
{{- if and .enabled (ne (toString .minAvailable) "") (ne (toString .maxUnavailable) "") -}}
{{- fail "podDisruptionBudget has minAvailable and maxUnavailable: Kubernetes takes only one of them. Remove one." -}}
{{- end -}}
{{- if and .enabled (regexMatch "^[0-9]+$" (toString .minAvailable)) (ge (int .minAvailable) $replicas) -}}
{{- fail (printf "podDisruptionBudget.minAvailable is %d and replicaCount is %d: no node of a pod could ever be drained. Set minAvailable below replicaCount." (int .minAvailable) $replicas) -}}
{{- end -}}
{{- end -}}
{{- if and (gt $replicas 1) (include "dataproduct.mountedOnce" .) -}}
{{- fail (printf "localProviderClass keeps its data on a volume with %s and replicaCount is %d: only one pod can mount it. Set localProviderClass.volume.accessMode=ReadWriteMany where the storage class has it, or replicaCount=1." $values.localProviderClass.volume.accessMode $replicas) -}}
{{- end -}}
{{- if and $values.webhook.enabled (eq $values.webhook.failurePolicy "Fail") (lt $replicas 2) -}}
{{- fail "webhook.failurePolicy is Fail and replicaCount is 1: nobody could apply a product while the only pod restarts. Set replicaCount=2 or more, or webhook.failurePolicy=Ignore." -}}
{{- end -}}
{{- if and $values.webhook.enabled $values.watchNamespace -}}
{{- fail (printf "webhook.enabled is true and watchNamespace is %s: API servers would ask about the products of every namespace, and the operator knows only those of one. Set webhook.enabled=false, or leave watchNamespace empty." $values.watchNamespace) -}}
{{- end -}}
{{- if and (not $values.serviceAccount.create) (not $values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: the rights of the operator would go to the ServiceAccount default, and so to every pod of the namespace. Set serviceAccount.name." -}}
{{- end -}}
{{- with $values.prometheus -}}
{{- if and .serviceMonitor.enabled .podMonitor.enabled -}}
{{- fail "prometheus.serviceMonitor and prometheus.podMonitor are both enabled: everything would be scraped twice. Enable one of them." -}}
{{- end -}}
{{- if and (not .enabled) (or .serviceMonitor.enabled .podMonitor.enabled .rules.enabled) -}}
{{- fail "prometheus.enabled is false, and so no metrics are served that serviceMonitor, podMonitor or rules could use. Set prometheus.enabled=true, or switch these off." -}}
{{- end -}}
{{- if and .rules.enabled (not .serviceMonitor.enabled) (not .podMonitor.enabled) -}}
{{- fail "prometheus.rules is enabled and neither serviceMonitor nor podMonitor is: an alert would tell for ever that the operator is absent. Enable one of them." -}}
{{- end -}}
{{- end -}}
{{- with $values.grafana.dashboard -}}
{{- if and .grafanaOperator.enabled (not .enabled) -}}
{{- fail "grafana.dashboard.grafanaOperator is enabled and grafana.dashboard is not, and so there is no ConfigMap that a GrafanaDashboard could refer to. Set grafana.dashboard.enabled=true." -}}
{{- end -}}
{{- end -}}
{{- range $argument := $values.extraArgs -}}
{{- range $flag := list "--cluster-id" "--watch-namespace" "--metrics-bind-address" "--health-bind-address" "--leader-elect" "--leader-election-namespace" "--output" "--webhook-bind-address" "--webhook-action" "--let-products-go" "--log-format" "--log" -}}
{{- if eq (first (splitList "=" $argument)) $flag -}}
{{- fail (printf "extraArgs has %s, which the chart sets itself. Use the value that is made for it; README.md lists them." $flag) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
