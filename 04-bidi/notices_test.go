package bidi

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/faultnet"
)

// Each case causes many more notices than a queue of 16 holds.
// Members that read stay, and get each text once.
func TestNotices_CostNobodyItsPlace(t *testing.T) {
	for name, upset := range map[string]func(*testing.T, *chat){
		"300 are dropped at once":     dropTogether,
		"1500 leave at once":          leaveTogether,
		"connection with 100 is lost": loseConnection,
		"300 join at once":            joinTogether,
		"one connection comes and goes": func(t *testing.T, c *chat) {
			for range 1000 {
				u := open(t, c.client)
				u.send(joinMessage("", "go", "churn"))
				u.cancel()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat(t, 16)
				say := make(chan string)
				var healthy [3]<-chan transcript
				for i := range healthy {
					healthy[i] = c.talk(t.Context(), fmt.Sprint("healthy", i), say)
				}
				time.Sleep(time.Second) // until they have joined
				ann := join(t, c.client, "go", "ann")
				ann.say("before")
				upset(t, c)
				time.Sleep(time.Minute)
				ann.say("after")
				time.Sleep(time.Minute)
				close(say)
				for _, done := range healthy {
					got := <-done
					require.NoError(t, got.err)
					require.Equal(t, []string{"ann: before", "ann: after"}, fromAnn(got.lines))
				}
			})
		})
	}
}

func fromAnn(lines []string) (texts []string) {
	for _, line := range lines {
		if strings.HasPrefix(line, "ann: ") {
			texts = append(texts, line)
		}
	}
	return texts
}

// dropTogether makes 300 members stop reading, and then says more than their
// queues hold.
func dropTogether(t *testing.T, c *chat) {
	for i := range 300 { // they read until somebody says stall
		m := joinAll(t, c.hub, fmt.Sprint("m", i))[0]
		go func() {
			for msg := range m.Messages() {
				if msg.GetText() == "stall" {
					return
				}
			}
		}()
		synctest.Wait()
	}
	bob := join(t, c.client, "go", "bob")
	for range 1 + 16 + 1 { // one is read, 16 fit
		bob.say("stall")
		bob.sees("bob: stall")
	}
	synctest.Wait()
	require.Equal(t, 5, c.members("go"), "members that read")
}

func leaveTogether(t *testing.T, c *chat) {
	var members []*Member
	for i := range 1500 {
		members = append(members, joinAll(t, c.hub, fmt.Sprint("m", i))...)
	}
	require.Equal(t, 4+1500, c.members("go"))
	for _, m := range members {
		m.Leave(chatv1.Leave_REASON_DISCONNECTED)
	}
}

func loseConnection(t *testing.T, c *chat) {
	net := faultnet.New(c.server.DialContext)
	conn := c.server.Dial(t, grpc.WithContextDialer(net.DialContext))
	for i := range 100 {
		join(t, chatv1.NewChatServiceClient(conn), "go", fmt.Sprint("m", i))
	}
	net.Conn().Drop()
}

func joinTogether(t *testing.T, c *chat) {
	for i := range 300 {
		open(t, c.client).send(joinMessage("", "go", fmt.Sprint("m", i)))
	}
}

// A member that does not read misses notices, but all of them are counted.
func TestNotices_MissedOnesAreCounted(t *testing.T) {
	hub := NewHub(16)
	ann := joinAll(t, hub, "ann")[0]
	for i := range 40 {
		joinAll(t, hub, fmt.Sprint("m", i))[0].Leave(chatv1.Leave_REASON_GOODBYE)
	}
	require.NoError(t, ann.Say("who was that?"))

	var lines []string
	for msg := range ann.Messages() {
		lines = append(lines, Line(msg))
		if msg.GetMissed() != nil { // she has caught up
			require.NoError(t, ann.Say("never mind"))
			ann.Leave(chatv1.Leave_REASON_GOODBYE)
		}
	}
	require.Len(t, lines, 16+1+1+1)
	require.Equal(t, "* m7 joined", lines[15])
	require.Equal(t, []string{"ann: who was that?", "* 65 more joined or left", "ann: never mind"}, lines[16:], "16 of 81 were not missed")
}

// Notices take no room from texts: with as many notices waiting as fit, all
// of the texts fit too.
func TestNotices_LeaveRoomForTexts(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		fit  int
	}{
		"texts of a byte": {"x", 16},
		"texts of 1 KiB":  {strings.Repeat("x", 1024), 16},
		"texts of 1025 B": {strings.Repeat("x", 1025), 8},
		"texts of 4 KiB":  {strings.Repeat("x", MaxText), 4},
	} {
		t.Run(name, func(t *testing.T) {
			hub := NewHub(16)
			ann := joinAll(t, hub, "ann")[0]
			for i := range 40 {
				joinAll(t, hub, fmt.Sprint("m", i))
			}
			for range tt.fit {
				require.NoError(t, ann.Say(tt.text))
				require.True(t, hub.holds(ann))
			}
			require.NoError(t, ann.Say(tt.text))
			require.False(t, hub.holds(ann))
			requireStatus(t, codes.ResourceExhausted, "too slow: more than 16 KiB of texts are waiting for you", ann.Err())
		})
	}
}
