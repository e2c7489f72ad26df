{{/*
What the values say of each service, as JSON: the router, the contexts, and the console where it is enabled. Operators sign
in to it as they do to the router: it has the router's AUTH_ settings.
*/}}
{{- define "spacerent.entries" -}}
{{- $entries := merge (dict "router" .Values.router) .Values.contexts -}}
{{- if .Values.console.enabled -}}
{{- $settings := dict -}}
{{- range $setting, $value := .Values.router.settings -}}
{{- if hasPrefix "AUTH_" $setting -}}{{- $_ := set $settings $setting $value -}}{{- end -}}
{{- end -}}
{{- $one := dict "replicas" 1 "autoscaling" (dict "enabled" false) "disruptionBudget" (dict "enabled" false) "spread" list -}}
{{- $console := omit .Values.console "enabled" "from" -}}
{{- $settings = merge (deepCopy ($console.settings | default dict)) $settings -}}
{{- $_ := set $entries "console" (merge (dict "settings" $settings) $one $console) -}}
{{- end -}}
{{- toJson $entries -}}
{{- end -}}

{{/*
Every service by its name, as JSON: the entries above with `defaults` filled in, and
  settings  all plain settings, of this service and of every one
  secrets   the names of its secret settings
  calls     the contexts to which it sends requests
*/}}
{{- define "spacerent.services" -}}
{{- include "spacerent.validate" . -}}
{{- $services := dict -}}
{{- $queue := ternary "REDIS_URL" "QUEUE_DATABASE_URL" (eq .Values.queue.engine "redis") -}}
{{- $addresses := dict -}}
{{- range $name, $context := .Values.contexts -}}
{{- $_ := set $addresses (printf "%s_URL" (upper $name)) (printf "http://%s-%s:%v" $.Release.Name $name $context.port) -}}
{{- end -}}
{{- range $name, $entry := include "spacerent.entries" . | fromJson -}}
{{- $service := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy $entry) -}}
{{- $own := dict "PORT" $service.port "SPACERENT_PROFILE" "servers" -}}
{{- if eq $name "console" -}}
{{- $_ := set $service "program" "dist/router/src/console/main.js" -}}
{{- $_ := set $service "secrets" (list "METRICS_TOKEN" $queue) -}}
{{- $_ := set $service "settings" (mergeOverwrite (deepCopy $.Values.settings) $service.settings $own) -}}
{{- else -}}
{{- $_ := set $service "program" (printf "dist/%s/src/main.js" (ternary "router" (printf "subgraphs/%s" $name) (eq $name "router"))) -}}
{{- $_ := set $service "secrets" (list "INTERNAL_TOKEN_KEYS" "METRICS_TOKEN" $queue) -}}
{{- $_ := set $service "settings" (mergeOverwrite (deepCopy $.Values.settings) $service.settings $addresses $own) -}}
{{- end -}}
{{- if eq $name "router" -}}
{{- $_ := set $service "calls" (keys $.Values.contexts | sortAlpha) -}}
{{- else if ne $name "console" -}}
{{- $_ := set $service "secrets" (append $service.secrets (printf "%s_DATABASE_URL" (upper $name))) -}}
{{- end -}}
{{- $_ := set $service "secrets" (concat $service.secrets $.Values.secrets.further | uniq) -}}
{{- $_ := set $services $name $service -}}
{{- end -}}
{{- toJson $services -}}
{{- end -}}

{{/* Fails with a sentence for values that the schema cannot refuse. */}}
{{- define "spacerent.validate" -}}
{{- $reserved := list "PORT" "SPACERENT_PROFILE" -}}
{{- range $name := keys .Values.contexts -}}
{{- $reserved = append $reserved (printf "%s_URL" (upper $name)) -}}
{{- end -}}
{{- range $name, $entry := include "spacerent.entries" . | fromJson -}}
{{- range $setting, $value := merge (deepCopy ($entry.settings | default dict)) $.Values.settings -}}
{{- if has $setting $reserved -}}
{{- fail (printf "The settings of %s contain %s, which the chart itself sets: remove it." $name $setting) -}}
{{- end -}}
{{- if include "spacerent.isSecret" $setting -}}
{{- fail (printf "The settings of %s contain %s, which is a secret: put it into a Secret, name that in secrets.existing or secrets.elsewhere, and list %s in secrets.further unless the chart knows it." $name $setting $setting) -}}
{{- end -}}
{{- end -}}
{{- range $callee := $entry.calls -}}
{{- if not (hasKey $.Values.contexts $callee) -}}
{{- fail (printf "contexts.%s.calls names %s, which is not among the contexts." $name $callee) -}}
{{- end -}}
{{- end -}}
{{- $scaling := merge (deepCopy ($entry.autoscaling | default dict)) $.Values.defaults.autoscaling -}}
{{- if gt (int $scaling.min) (int $scaling.max) -}}
{{- fail (printf "autoscaling of %s has a min of %v, which is above its max of %v." $name $scaling.min $scaling.max) -}}
{{- end -}}
{{- end -}}
{{- range $setting := .Values.secrets.further -}}
{{- if not (include "spacerent.isSecret" $setting) -}}
{{- fail (printf "secrets.further contains %s, which is no secret: write it into settings." $setting) -}}
{{- end -}}
{{- end -}}
{{- range $setting := list "AUTH_JWKS_URL" "AUTH_ISSUER" "AUTH_AUDIENCE" -}}
{{- if not (get $.Values.router.settings $setting) -}}
{{- fail (printf "router.settings.%s is empty: the router needs it to verify the tokens of your OpenID provider." $setting) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host is empty: an Ingress needs the host name that it serves." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is empty: an HTTPRoute needs the Gateway that serves it." -}}
{{- end -}}
{{- if and .Values.demo.enabled (ne .Values.queue.engine "redis") -}}
{{- fail "demo.enabled brings Redis: leave queue.engine at redis." -}}
{{- end -}}
{{- $engines := list -}}
{{- range $entry := .Values.contexts -}}
{{- $engines = append $engines $entry.database.engine -}}
{{- end -}}
{{- if and .Values.demo.enabled (gt (len (without $engines "postgres")) 1) -}}
{{- fail "demo.enabled brings a MariaDB with one database: only one context can have the engine mariadb." -}}
{{- end -}}
{{- if and .Values.demo.enabled .Values.secrets.existing -}}
{{- fail "demo.enabled makes its own Secret: leave secrets.existing empty." -}}
{{- end -}}
{{- end -}}

{{/* Not empty when the setting of this name is a secret. */}}
{{- define "spacerent.isSecret" -}}
{{- if or (regexMatch "_(KEYS|TOKEN|SECRET|PASSWORD|DATABASE_URL|HEADERS)$" .) (eq . "REDIS_URL") }}true{{ end -}}
{{- end -}}

{{/* Name of the Secret that the chart makes, or of the existing one. */}}
{{- define "spacerent.secretName" -}}
{{- .Values.secrets.existing | default (printf "%s-secrets" .Release.Name) -}}
{{- end -}}

{{/* Name and key of one secret setting, as a SecretKeySelector: (list $ "METRICS_TOKEN"). */}}
{{- define "spacerent.secretKey" -}}
{{- $root := first . -}}
{{- $default := dict "name" (include "spacerent.secretName" $root) "key" (last .) -}}
{{- get $root.Values.secrets.elsewhere (last .) | default $default | toJson -}}
{{- end -}}

{{/* A number without the exponent that Helm gives to large ones; text as it is. */}}
{{- define "spacerent.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Labels that choose the Pods of a service: (list $ "book"). */}}
{{- define "spacerent.selector" -}}
app.kubernetes.io/name: spacerent
app.kubernetes.io/instance: {{ (first .).Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* Labels of every object of a service: (list $ "book"). */}}
{{- define "spacerent.labels" -}}
{{ include "spacerent.selector" . }}
app.kubernetes.io/part-of: spacerent
app.kubernetes.io/managed-by: {{ (first .).Release.Service }}
helm.sh/chart: {{ (first .).Chart.Name }}-{{ (first .).Chart.Version }}
{{- end -}}

{{/* Security context of every container. */}}
{{- define "spacerent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
