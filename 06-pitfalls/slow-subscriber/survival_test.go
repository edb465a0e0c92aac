package slowsubscriber

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedHub(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.NotApplicable("the input is calls of Publish, which have no end"),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			ctx, cancel := context.WithCancel(ctx)
			stream, err := subscribe(ctx, pitfalltest.Dial(t, serve(hub)))
			require.NoError(t, err)
			for i := range int64(1000) {
				hub.Publish(&pitfallsv1.Number{Value: i})
				n, err := stream.Recv()
				require.NoError(t, err)
				require.Equal(t, i, n.GetValue())
			}
			cancel()
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			ctx, cancel := context.WithCancel(ctx)
			_, err := subscribe(ctx, pitfalltest.Dial(t, serve(hub)))
			require.NoError(t, err)
			cancel()
			requireNoSubscribers(t, hub)
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			client := pitfalltest.Dial(t, serve(hub))
			slow, err := subscribe(ctx, client)
			require.NoError(t, err)
			require.NoError(t, publish(ctx, client))
			require.Zero(t, pitfalltest.OpenStreams(t, client), "the handler of the slow client has returned")
			requireNoSubscribers(t, hub)
			_, err = service.Values(slow)
			require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		}),
		PeerDoesNotSend: pitfalltest.NotApplicable("the client sends only its request"),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			client := pitfalltest.Dial(t, serve(hub))
			for _, numbers := range []int{0, 1, limit} { // the handler waits for a number, or for the client
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				stream, err := subscribe(ctx, client)
				require.NoError(t, err)
				for range numbers {
					hub.Publish(&pitfallsv1.Number{Padding: make([]byte, 100<<10)})
				}
				start := time.Now()
				time.Sleep(time.Minute)
				requireNoSubscribers(t, hub)
				_, err = service.Values(stream)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Equal(t, time.Minute, time.Since(start))
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			client, network := pitfalltest.DialFaulty(t, serve(hub))
			stream, err := subscribe(ctx, client)
			require.NoError(t, err)
			pitfalltest.Cut(network)
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			requireNoSubscribers(t, hub)
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			client := pitfalltest.Dial(t, serve(hub))
			pitfalltest.InARow(func(int) {
				ctx, cancel := context.WithCancel(ctx)
				_, err := subscribe(ctx, client)
				require.NoError(t, err)
				hub.Publish(&pitfallsv1.Number{})
				cancel()
			})
			requireNoSubscribers(t, hub)
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			hub := new(FixedHub)
			client := pitfalltest.Dial(t, serve(hub))
			ctx, cancel := context.WithCancel(ctx)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				if _, err := subscribe(ctx, client); err != nil { // does not read
					return err
				}
				return publish(ctx, client)
			}) {
				require.NoError(t, err)
			}
			cancel()
			requireNoSubscribers(t, hub)
		}),
	}.Run(t)
}

func requireNoSubscribers(t *testing.T, h *FixedHub) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Empty(t, h.subscribers)
}
