#!/bin/sh
# Status line of Claude Code: the model that answered, tokens, cost, and what is left of the budgets.
# In ~/.claude/settings.json: {"statusLine": {"type": "command", "command": "/path/to/statusline.sh"}}
# Needs curl. Reads ANTHROPIC_BASE_URL, and ANTHROPIC_AUTH_TOKEN or ANTHROPIC_API_KEY, as Claude Code does.
input=$(tr -d '\n')
field() { printf %s "$input" | sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([A-Za-z0-9._-]*\)\".*/\1/p"; }
session=$(field session_id)
model=$(printf %s "$input" | sed -n 's/.*"model"[[:space:]]*:[[:space:]]*{[^}]*"id"[[:space:]]*:[[:space:]]*"\([^"&#]*\)".*/\1/p')
key=${ANTHROPIC_AUTH_TOKEN:-$ANTHROPIC_API_KEY}
# The key is given on standard input: other users can read the arguments of a program.
printf 'header = "x-api-key: %s"\n' "$key" | curl --config - --silent --fail --max-time 2 --get \
  --header 'accept: text/plain' --data-urlencode "model=$model" \
  "${ANTHROPIC_BASE_URL:-http://127.0.0.1:4000}/v1/sessions/$session" || printf '%s\n' "$model"
