// Package play shows a pitfall live: the broken code against a real server
// for as long as you have patience, then the fixed code.
package play

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
)

// A Pitfall is an entry of the catalogue.
type Pitfall struct {
	Name    string // of its folder
	Symptom string // what you see, in one line
	Fix     string // what to do, in one line

	// Patience is how long each side may take, if that of the player is
	// too short to see anything.
	Patience time.Duration

	Broken, Fixed Side
}

// A Side is one of the two codes of a pitfall, and the world it needs. A
// server of its own in memory is what it gets if it asks for options or
// Alone, else the server that the user chose.
type Side struct {
	Run Run

	Server        *service.Server // nil: the plain one
	ServerOptions []grpc.ServerOption
	DialOptions   []grpc.DialOption
	Alone         bool
}

// Run plays the code and returns what is printed. It may hang.
type Run func(ctx context.Context, s *Stage) (any, error)

func (s *Side) alone() bool {
	return s.Alone || s.ServerOptions != nil || s.DialOptions != nil
}

func (s *Side) server() *service.Server {
	if s.Server == nil {
		return new(service.Server)
	}
	return s.Server
}
