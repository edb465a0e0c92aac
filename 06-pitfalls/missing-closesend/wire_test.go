package missingclosesend

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/lab"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestOnTheWireTheDifferenceIsOneEmptyFrame(t *testing.T) {
	got := "broken\n" + clientFrames(t, BrokenEcho) + "fixed\n" + clientFrames(t, FixedEcho)
	if *update {
		require.NoError(t, os.WriteFile("testdata/wire.txt", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/wire.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// clientFrames returns what the client sends in the three seconds it has.
func clientFrames(
	t *testing.T,
	echo func(context.Context, pitfallsv1.PitfallServiceClient, ...int64) ([]int64, error),
) (lines string) {
	synctest.Test(t, func(t *testing.T) {
		var frames strings.Builder
		tap := wire.New(&frames)
		tap.StreamsOnly = true
		server := bufnet.Serve(t, lab.Register(&service.Server{}))
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
