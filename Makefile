# Shortcuts; everything else is an npm script (npm run).
node := node_modules/node/bin/node

.PHONY: linux linux-x64 linux-arm64
## One self-contained executable each, in dist-linux/: runs where no Node is installed.
linux: linux-x64 linux-arm64

linux-x64 linux-arm64: linux-%: $(node)
	$(node) deploy/linux/build.mjs --arch $*

$(node):
	npm run setup
