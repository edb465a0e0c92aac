// Package exercise is yours to complete. README.md says what it must do.
package exercise

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	consolev1 "example.com/streams/04-bidi/exercise/console/v1"
)

// Server implements ConsoleService.
type Server struct {
	consolev1.UnimplementedConsoleServiceServer

	// Run runs a command. It calls print for each line, in one goroutine, and
	// returns soon after print has failed or ctx has ended.
	Run func(ctx context.Context, command string, print func(line string) error) error
}

// Attach runs the commands of a stream. See the proto for their order, and for
// the codes.
func (s *Server) Attach(stream grpc.BidiStreamingServer[consolev1.Input, consolev1.Output]) error {
	return status.Error(codes.Unimplemented, "Attach: not written yet")
}
