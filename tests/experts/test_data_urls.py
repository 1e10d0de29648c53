import asyncio

import pytest
from PIL import Image

from maestro.errors import ImageError
from maestro.experts.data_urls import DataURLs
from maestro.images import ImageStore


async def test_made_once_and_forgotten_when_there_are_too_many():
    images = ImageStore()
    names = [images.put(Image.effect_noise((40, 40), sigma)) for sigma in (10, 20, 30)]
    urls = DataURLs(images, capacity_bytes=1)
    first = await asyncio.gather(*(urls.get(names[0]) for _ in range(8)))
    assert len({id(url) for url in first}) == 1
    assert urls.made == 1
    for name in names:
        await urls.get(name)
    assert urls.made == 3
    assert len(urls._made) == 1
    assert urls._held_bytes == len(await urls.get(names[2]))
    assert await urls.get(names[0]) == first[0]
    urls.close()


async def test_a_caller_that_leaves_does_not_spoil_it_for_the_others():
    images = ImageStore()
    name = images.put(Image.effect_noise((600, 600), 50))
    urls = DataURLs(images)
    leaving, staying = asyncio.create_task(urls.get(name)), asyncio.create_task(urls.get(name))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).startswith(b"data:image/png;base64,")
    assert urls.made == 1
    urls.close()


def test_one_event_loop_after_another():
    images = ImageStore()
    name = images.put(Image.new("RGB", (4, 4)))
    urls = DataURLs(images)
    assert asyncio.run(urls.get(name)) is asyncio.run(urls.get(name))
    urls.close()
    urls.close()


async def test_unknown_images():
    urls = DataURLs(ImageStore())
    for _ in range(2):
        with pytest.raises(ImageError, match="no image with hash"):
            await urls.get("0" * 64)
