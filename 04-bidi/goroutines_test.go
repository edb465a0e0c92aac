package bidi

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/memserver/memservertest"
)

// Each call of Talk has three goroutines on each side, and none of them stays
// after the call.
func TestGoroutines_OfAMemberEndTogether(t *testing.T) {
	for name, end := range map[string]func(c *chat, say chan string){
		"half-close":        func(_ *chat, say chan string) { close(say) },
		"server shuts down": func(c *chat, _ chan string) { c.hub.Drain() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				join(t, c.client, "go", "bob").leave() // connects
				synctest.Wait()
				goroutines := func() int { return len(memservertest.Goroutines()) }
				before := goroutines()
				say := make(chan string)
				done := c.talk(t.Context(), "ann", say)
				time.Sleep(time.Second)
				for _, function := range []string{
					"Talk.1", "write", "newClientStreamWithParams.func4", // grpc-go's own, which waits for the context
					"(*ChatServer).Chat", "readTexts", "writeMessages",
				} {
					require.Equal(t, 1, goroutinesIn("."+function), "goroutines in %s", function)
				}
				require.Equal(t, before+6, goroutines(), "goroutines with Ann")

				end(c, say)
				<-done
				synctest.Wait()
				require.Equal(t, before, goroutines(), "goroutines after her end")
			})
		})
	}
}

func TestContext_EndsWhenTheHandlerReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		u := open(t, dial(t, stub{OnChat: func(stream serverStream) error {
			go func() {
				<-stream.Context().Done()
				ended <- stream.Context().Err()
			}()
			return nil
		}}))
		u.ends(codes.OK, "")
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// The client sends nothing and reads nothing for an hour.
func TestReturn_EndsARecvAndASendThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received, sent := make(chan error, 1), make(chan error, 1)
		u := open(t, dial(t, stub{OnChat: func(stream serverStream) error {
			go func() {
				_, err := stream.Recv()
				received <- err
			}()
			go func() { sent <- flood(stream.Send, new(atomic.Int64)) }()
			time.Sleep(time.Hour)
			if len(received)+len(sent) > 0 {
				return status.Error(codes.Internal, "one of them has not waited")
			}
			return status.Error(codes.ResourceExhausted, "too slow")
		}}))
		requireStatus(t, codes.Canceled, "", <-received)
		requireStatus(t, codes.Canceled, "", <-sent)
		_, err := u.skip()
		requireStatus(t, codes.ResourceExhausted, "too slow", err)
	})
}
