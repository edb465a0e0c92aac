package play

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/client"
)

func TestAPlayTellsWhatHangsWhatIsLeftAndWhatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := make(chan struct{})
		defer close(handler)
		var out strings.Builder
		player := Player{Target: &client.Target{}, Patience: 3 * time.Second, Say: func(line string) { fmt.Fprintln(&out, line) }}

		err := player.Show(t.Context(), Pitfall{
			Name: "sample", Symptom: "it hangs", Fix: "mend it",
			Broken: Side{
				Server: &service.Server{OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
					<-handler
					return nil
				}},
				Run: countTo(2),
			},
			Fixed: Side{Run: countTo(2)},
		})

		require.NoError(t, err)
		require.Equal(t, `sample: it hangs

broken     3s  still runs; cancelling it
broken     3s  []; Canceled: context canceled
broken   3.5s  handlers that have not returned: 1
fixed      0s  [1 2]

fix: mend it
`, out.String())
	})
}

func countTo(n int64) Run {
	return func(ctx context.Context, s *Stage) (any, error) {
		stream, err := s.Client.Count(ctx, &pitfallsv1.CountRequest{To: n})
		if err != nil {
			return nil, err
		}
		return service.Values(stream)
	}
}

func TestAnInterruptEndsAPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		player := Player{Target: &client.Target{}, Patience: time.Hour, Say: func(string) {}}
		hang := func(ctx context.Context, _ *Stage) (any, error) { <-ctx.Done(); return nil, nil }

		start := time.Now()
		err := player.Show(ctx, Pitfall{Broken: Side{Run: hang}})

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestAPlayTalksToTheServerThatAddrNames(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	sample := Pitfall{
		Name:   "sample",
		Broken: Side{Server: refuse, Run: countTo(2)},
		Fixed:  Side{Run: countTo(2)},
	}
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	pitfallsv1.RegisterPitfallServiceServer(server, NewServer([]Pitfall{sample}))
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	defer served.Wait()
	defer server.Stop()

	var out strings.Builder
	player := Player{
		Target:   &client.Target{Addr: listener.Addr().String()},
		Patience: time.Minute,
		Say:      func(line string) { fmt.Fprintln(&out, line) },
	}
	require.NoError(t, player.Show(t.Context(), sample))
	require.Regexp(t, `broken +\S+  \[\]; Aborted: no\nfixed +\S+  \[1 2\]\n`, out.String())

	sample.Name = "other"
	err = player.Show(t.Context(), sample)
	require.Equal(t, codes.NotFound, status.Code(err), "got %v", err)
}

// refuse is a server that counts for nobody.
var refuse = &service.Server{OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return status.Error(codes.Aborted, "no")
}}

func TestEachSideIsAHostOfTheServer(t *testing.T) {
	for _, tt := range []struct {
		host string
		code codes.Code
	}{
		{"broken.sample", codes.Aborted},
		{"fixed.sample", codes.OK},
		{"localhost:50051", codes.OK},
		{"broken.other", codes.NotFound},
	} {
		t.Run(tt.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := bufnet.Serve(t, func(r grpc.ServiceRegistrar) {
					pitfallsv1.RegisterPitfallServiceServer(r, NewServer([]Pitfall{{Name: "sample", Broken: Side{Server: refuse}}}))
				})
				conn := server.Dial(t, grpc.WithAuthority(tt.host))
				_, err := countTo(1)(t.Context(), &Stage{Client: pitfallsv1.NewPitfallServiceClient(conn)})
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
			})
		})
	}
}

func TestAnUnknownNameGivesTheNearest(t *testing.T) {
	pitfalls := []Pitfall{{Name: "concurrent-recv"}, {Name: "missing-closesend"}, {Name: "concurrent-send"}}
	for name, want := range map[string]string{
		"concurrent-sned":   "concurrent-send",
		"closesend":         "missing-closesend",
		"concurrentrecv":    "concurrent-recv",
		"missing-closesend": "missing-closesend",
	} {
		got, found := Find(pitfalls, name)
		require.Equal(t, want, got.Name, "nearest to %s", name)
		require.Equal(t, name == want, found)
	}
}
