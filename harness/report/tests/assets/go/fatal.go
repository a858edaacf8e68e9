package main

var lastLogged = map[string]int{}

func main() {
	assign := func() {
		for {
			lastLogged["k"]++
		}
	}
	go assign()
	go assign()
	select {}
}
