// Command server is the exchange: it publishes ticks over TCP.
package main

import (
	"os"

	"example.com/streams/05-cancellation/cmd/internal/mains"
)

func main() { os.Exit(mains.Server()) }
