// Command gateway relays the ticks of an exchange, or of another gateway.
package main

import (
	"os"

	"example.com/streams/05-cancellation/cmd/internal/mains"
)

func main() { os.Exit(mains.Gateway()) }
