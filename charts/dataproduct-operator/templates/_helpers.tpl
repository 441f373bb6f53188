{{/* The name of the chart, within the bounds of a label. */}}
{{- define "dataproduct.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of most objects: that of the release, with the chart's name where it does not say it. */}}
{{- define "dataproduct.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "dataproduct.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "dataproduct.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of what is the release's own and cluster-wide. Where releases watch a namespace each, several may have one name. */}}
{{- define "dataproduct.clusterName" -}}
{{- include "dataproduct.fullname" . -}}{{- if .Values.watchNamespace -}}-{{ .Release.Namespace }}{{- end -}}
{{- end -}}

{{- define "dataproduct.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "dataproduct.fullname" .) -}}
{{- end -}}

{{/* Where the Lease is. */}}
{{- define "dataproduct.leaseNamespace" -}}
{{- .Values.leaderElection.namespace | default .Release.Namespace -}}
{{- end -}}

{{/* What tells our pods from others. It never changes: the selector of a Deployment cannot. */}}
{{- define "dataproduct.selector" -}}
app.kubernetes.io/name: {{ include "dataproduct.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dataproduct.labels" -}}
{{ include "dataproduct.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: dataproduct-operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "dataproduct.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" where a volume of ours can be mounted only once. */}}
{{- define "dataproduct.mountedOnce" -}}
{{- if and .Values.localProviderClass.enabled (hasPrefix "ReadWriteOnce" .Values.localProviderClass.volume.accessMode) -}}true{{- end -}}
{{- end -}}

{{/* A generated document with labels of ours, and with an annotation that lets Helm leave it where that is asked for. It
     is a text before and after: reading it would turn its large integers into fractions. */}}
{{- define "dataproduct.definition" -}}
{{- $metadata := "\nmetadata:\n  labels:\n    app.kubernetes.io/part-of: dataproduct-operator\n" -}}
{{- if .keep -}}
{{- $metadata = print $metadata "  annotations:\n    helm.sh/resource-policy: keep\n" -}}
{{- end -}}
{{- replace "\nmetadata:\n" $metadata .text -}}
{{- end -}}

{{/* Refuses an object of a kind that the cluster does not know yet, in words that say what to do. A cluster is there where
     lookups find something: `helm template` and `helm lint` go on. */}}
{{- define "dataproduct.known" -}}
{{- $cluster := lookup "v1" "Namespace" "" "kube-system" -}}
{{- if and $cluster (not (.root.Capabilities.APIVersions.Has (print "datamesh.io/v1/" .kind))) -}}
{{- fail (printf "%s.enabled needs the kind %s, and this cluster does not know it yet. Install the chart without it, and then switch it on: helm upgrade %s ... --namespace %s --reuse-values --set %s.enabled=true" .value .kind .root.Release.Name .root.Release.Namespace .value) -}}
{{- end -}}
{{- end -}}

{{/* The spec of a pod that runs one command of the image, as the operator and as restricted, up to the container's arguments. */}}
{{- define "dataproduct.checkPod" -}}
restartPolicy: Never
serviceAccountName: {{ include "dataproduct.serviceAccount" . }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: check
    image: {{ include "dataproduct.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    resources:
      requests:
        cpu: 10m
        memory: 32Mi
      limits:
        memory: 256Mi
    securityContext:
      {{- toYaml .Values.securityContext | nindent 6 }}
{{- end -}}

{{/* "true" where an object of a kind of others is asked for and is made, by the renderMode of its setting. */}}
{{- define "dataproduct.rendered" -}}
{{- $missing := not (.root.Capabilities.APIVersions.Has .kind) -}}
{{- if not .setting.enabled -}}
{{- else if eq .setting.renderMode "alwaysRender" -}}true
{{- else if not $missing -}}true
{{- else if eq .setting.renderMode "failIfMissing" -}}
{{- fail (printf "%s.enabled needs the kind %s, which this cluster does not know. Install its definition, or set %s.renderMode to skipIfMissing; where Helm sees no cluster, tell it with --api-versions %s, or set %s.renderMode to alwaysRender." .value .kind .value .kind .value) -}}
{{- end -}}
{{- end -}}

{{/* What was asked for and is not made, because the cluster does not know its kind; one line each. */}}
{{- define "dataproduct.skipped" -}}
{{- $prometheus := .Values.prometheus -}}
{{- $operator := .Values.grafana.dashboard.grafanaOperator -}}
{{- range list
  (dict "value" "prometheus.serviceMonitor" "setting" $prometheus.serviceMonitor "kind" "monitoring.coreos.com/v1/ServiceMonitor")
  (dict "value" "prometheus.podMonitor" "setting" $prometheus.podMonitor "kind" "monitoring.coreos.com/v1/PodMonitor")
  (dict "value" "prometheus.rules" "setting" $prometheus.rules "kind" "monitoring.coreos.com/v1/PrometheusRule")
  (dict "value" "grafana.dashboard.grafanaOperator" "setting" $operator "kind" "grafana.integreatly.org/v1beta1/GrafanaDashboard") -}}
{{- if and .setting.enabled (not (include "dataproduct.rendered" (merge (dict "root" $) .))) }}
  {{ .value }} (no {{ .kind }})
{{- end -}}
{{- end -}}
{{- end -}}
