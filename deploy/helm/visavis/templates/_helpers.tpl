{{- define "visavis.labels" -}}
app.kubernetes.io/name: visavis
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "visavis.selector" -}}
app.kubernetes.io/name: visavis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "visavis.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-visavis
{{- end }}

{{- define "visavis.mediaSelector" -}}
app.kubernetes.io/name: visavis-media
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "visavis.image" -}}
"{{ required "image.repository: build deploy/Dockerfile and push it" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
{{- end }}

{{- define "visavis.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}
