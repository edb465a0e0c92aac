package bidi

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// All 200 members share one connection.
func TestHub_NobodyWaitsForASlowMember(t *testing.T) {
	const readers, queue = 198, 220
	synctest.Test(t, func(t *testing.T) {
		c := newChat(t, queue)
		slow := join(t, c.client, "go", "slow")
		for range 40 { // the echoes fill the window of a member that does not read
			slow.say(strings.Repeat("x", MaxText))
		}
		time.Sleep(40 * Pace)
		arrived := make(chan time.Time, readers)
		for i := range readers {
			go recordTexts(t.Context(), c, fmt.Sprint("m", i), arrived)
		}
		time.Sleep(time.Second) // until all have joined
		ann := join(t, c.client, "go", "ann")

		for len(c.hub.rooms["go"]) == readers+2 {
			time.Sleep(Pace)
			said := time.Now()
			ann.say("hello")
			ann.sees("ann: hello")
			synctest.Wait()
			require.Len(t, arrived, readers, "members that have received the text")
			for range readers {
				require.Equal(t, said, <-arrived)
			}
		}
		ann.sees("* slow was too slow")

		_, err := slow.skip()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "too slow: more than 220 KiB of texts are waiting for you")
		ann.leave()
	})
}

// recordTexts joins the room go, and records when texts arrive.
func recordTexts(ctx context.Context, c *chat, name string, arrived chan<- time.Time) {
	for msg, err := range Talk(ctx, c.client, "go", name, nil) {
		if err == nil && msg.GetText() != "" {
			arrived <- time.Now()
		}
	}
}
