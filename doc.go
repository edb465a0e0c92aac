// Command streams is the guide through a course on gRPC streaming in Go:
//
//	go run .
//
// The chapters are the numbered folders; start with README.md.
package main

//go:generate go tool -modfile=internal/tools/go.mod buf lint
//go:generate go tool -modfile=internal/tools/go.mod buf generate
