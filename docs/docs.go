// Package docs holds pages that a program searches.
package docs

import _ "embed"

// Errors is the page errors.md.
//
//go:embed errors.md
var Errors string
