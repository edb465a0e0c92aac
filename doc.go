// Package streams is the root of a tutorial on gRPC streaming in Go. Its
// chapters are the numbered folders; start with README.md.
package streams

//go:generate go tool -modfile=internal/tools/go.mod buf lint
//go:generate go tool -modfile=internal/tools/go.mod buf generate
