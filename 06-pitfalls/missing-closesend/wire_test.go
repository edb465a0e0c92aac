package missingclosesend

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/wire"
)

func TestWire_DifferenceIsOneEmptyFrame(t *testing.T) {
	golden.File(t, "testdata/wire.txt", "broken\n"+clientFrames(t, BrokenEcho)+"fixed\n"+clientFrames(t, FixedEcho))
}

// clientFrames returns the frames that the client sends within three seconds.
func clientFrames(
	t *testing.T,
	echo func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) ([]int64, error),
) (lines string) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		server := pitfalltest.Serve(t, &service.Server{})
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		got, _ := echo(ctx, pitfallsv1.NewPitfallServiceClient(conn), 1, 2, 3)
		require.Equal(t, []int64{1, 2, 3}, got)
		synctest.Wait()
		for line := range strings.Lines(frames.String()) {
			if strings.Contains(line, "C->S") {
				lines += line
			}
		}
	})
	return lines
}
